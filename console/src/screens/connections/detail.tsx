import { Button, Group, Skeleton, Stack, Tabs, Title } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Navigate, Route, Routes, useLocation, useNavigate, useParams } from 'react-router'
import { PageHead } from '../../parts/page'
import { notifyDone, ProblemNote } from '../../parts/problem'
import { useMay } from '../../session'
import { AccessList } from './access'
import { CodeTables } from './code-tables'
import { ConnectionState } from './connection-facts'
import { Deliveries } from './deliveries'
import { DryRunPanel } from './dry-run'
import { Feedback } from './feedback'
import { Kinds } from './kinds'
import { type MappingDraft, MappingEditor } from './mapping'
import { Overview } from './overview'
import { SettingsForm } from './settings-form'
import type { TryFile } from './try-file'
import { useAdapterName, useAdapters, useConnection } from './use-connections'

/** One connection: what it does, what went through it, and how it is set up. */
export function ConnectionDetail() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const may = useMay()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const query = useConnection(id)
  const adapters = useAdapters()
  const adapterName = useAdapterName()
  const [file, setFile] = useState<TryFile>()
  const [draft, setDraft] = useState<MappingDraft>()
  const connection = query.data
  const adapter = adapters.items?.find(one => one.id === connection?.adapter)
  if (query.error) return <ProblemNote error={query.error} retry={query.refetch} />
  if (!connection || !adapters.items) return <Skeleton height={420} />
  const parts = [
    { path: 'overview', title: t('connections.tab.overview'), needs: 'exchange.read', part: <Overview connection={connection} /> },
    { path: 'deliveries', title: t('connections.tab.deliveries'), needs: 'exchange.read', part: <Deliveries connectionId={id} /> },
    { path: 'feedback', title: t('connections.tab.feedback'), needs: 'exchange.read', part: <Feedback connectionId={id} /> },
    ...(adapter
      ? [
          {
            path: 'mapping',
            title: t('connections.tab.mapping'),
            needs: 'exchange.read',
            part: (
              <Stack>
                <Title order={2} size="h4">
                  {t('connections.tables')}
                </Title>
                <CodeTables connection={connection} adapter={adapter} />
                <Title order={2} size="h4" mt="md">
                  {t('connections.fieldsTitle')}
                </Title>
                <MappingEditor connection={connection} adapter={adapter} file={file} choose={setFile} draft={draft} keep={setDraft} />
              </Stack>
            )
          },
          {
            path: 'try',
            title: t('connections.tab.dryRun'),
            needs: 'exchange.operate',
            part: <DryRunPanel connection={connection} adapter={adapter} file={file} choose={setFile} />
          },
          { path: 'access', title: t('connections.tab.access'), needs: 'exchange.configure', part: <AccessList connection={connection} /> },
          {
            path: 'kinds',
            title: t('connections.tab.kinds'),
            needs: 'exchange.read',
            part: <Kinds key={connection.version} connection={connection} adapter={adapter} />
          },
          {
            path: 'settings',
            title: t('connections.tab.settings'),
            needs: 'exchange.configure',
            part: (
              <SettingsForm
                key={connection.version}
                adapter={adapter}
                connection={connection}
                action={t('act.save')}
                done={() => notifyDone(t('connections.settingsSaved'))}
              />
            )
          }
        ]
      : [])
  ].filter(({ needs }) => may(needs))
  const here = parts.find(({ path }) => pathname.startsWith(`/connections/${id}/${path}`))
  return (
    <>
      <PageHead title={connection.name} note={adapterName(connection.adapter)}>
        <Group gap="xs">
          <ConnectionState state={connection.state} />
          {connection.state === 'draft' && may('exchange.configure') ? (
            <Button component={Link} to={`/connections/new/${id}`}>
              {t('connections.goOn')}
            </Button>
          ) : null}
          <Button component={Link} to="/connections" variant="subtle">
            {t('connections.all')}
          </Button>
        </Group>
      </PageHead>
      <Tabs value={here?.path ?? 'overview'} onChange={path => navigate(`/connections/${id}/${path}`)} mb="md">
        <Tabs.List>
          {parts.map(({ path, title }) => (
            <Tabs.Tab key={path} value={path}>
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <Routes>
        {parts.map(({ path, part }) => (
          <Route key={path} path={path} element={part} />
        ))}
        <Route path="*" element={<Navigate to={`/connections/${id}/overview`} replace />} />
      </Routes>
    </>
  )
}
