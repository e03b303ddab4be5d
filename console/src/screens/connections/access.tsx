import { Badge, Button, Group, Paper, Skeleton, Stack, Table, Text } from '@mantine/core'
import { IconKey, IconLockPassword, IconWorld } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { Confirm } from '../../parts/confirm'
import { ShownCommand, ShownOnce } from '../../parts/once'
import { Empty } from '../../parts/page'
import { notifyProblem, ProblemNote } from '../../parts/problem'
import { type AccessKind, AddAccess } from './add-access'
import { type Connection, useAdapters, useConnectionChanged, waysOf } from './use-connections'

type Access = components['schemas']['Access']
interface Made {
  readonly access: Access
  readonly secret: string | null
}

/** Keys, passwords and tokens of the ERP: add, see the example, revoke. */
export function AccessList({ connection }: { connection: Connection }) {
  const { t } = useTranslation()
  const path = { connection: connection.id }
  const accesses = api.useQuery('get', '/api/v1/connections/{connection}/access', { params: { path } })
  const adapters = useAdapters()
  const [adding, setAdding] = useState<AccessKind>()
  const [made, setMade] = useState<Made>()
  const ways = waysOf(adapters.items?.find(({ id }) => id === connection.adapter))
  const sftp = ways.has('file') || !ways.has('http')
  return (
    <Stack>
      <Text size="sm" c="dimmed" maw={680}>
        {sftp ? t('connections.accessSftpText') : t('connections.accessWebText')}
      </Text>
      <Group>
        {sftp ? (
          <>
            <Button variant="light" leftSection={<IconKey size={18} />} onClick={() => setAdding('sftp_key')}>
              {t('connections.addKey')}
            </Button>
            <Button variant="light" leftSection={<IconLockPassword size={18} />} onClick={() => setAdding('sftp_password')}>
              {t('connections.addPassword')}
            </Button>
          </>
        ) : null}
        <Button variant={sftp ? 'default' : 'light'} leftSection={<IconWorld size={18} />} onClick={() => setAdding('token')}>
          {t('connections.addToken')}
        </Button>
      </Group>
      {made ? (
        <HowTo connection={connection} made={made} route={firstRoute(adapters.items?.find(({ id }) => id === connection.adapter))} />
      ) : null}
      <ProblemNote error={accesses.error} retry={accesses.refetch} />
      {accesses.isPending ? <Skeleton height={120} /> : null}
      {accesses.data?.items.length === 0 ? (
        <Empty icon={IconKey} title={t('connections.noAccess')}>
          {t('connections.noAccessText')}
        </Empty>
      ) : null}
      {accesses.data && accesses.data.items.length > 0 ? <Rows connection={connection} rows={accesses.data.items} /> : null}
      {adding ? (
        <AddAccess
          connection={connection}
          kind={adding}
          close={() => setAdding(undefined)}
          done={(access, secret) => {
            setAdding(undefined)
            setMade({ access, secret })
          }}
        />
      ) : null}
    </Stack>
  )
}

const firstRoute = (adapter: { imports: Readonly<Record<string, { routes?: readonly string[] }>> } | undefined): string =>
  Object.values(adapter?.imports ?? {}).flatMap(({ routes = [] }) => routes)[0] ?? 'work-orders'

/** The secret, once, with a command that works as it stands. */
function HowTo({ connection, made: { access, secret }, route }: { connection: Connection; made: Made; route: string }) {
  const { t } = useTranslation()
  const door = api.useQuery('get', '/api/v1/sftp-door', {}, { staleTime: 600_000 })
  const { host = location.hostname, port = 22, fingerprint = null } = door.data ?? {}
  const command =
    access.kind === 'token'
      ? `curl -X POST ${location.origin}/erp/v1/${connection.id}/${route} -H "Authorization: Bearer ${secret ?? '…'}" -H "Content-Type: application/json" --data-binary @${route}.json`
      : `sftp -P ${port}${access.kind === 'sftp_key' ? ' -i ~/.ssh/id_ed25519' : ''} ${access.username}@${host}`
  return (
    <Paper withBorder p="md">
      <Stack gap="sm">
        {secret ? <ShownOnce title={access.kind === 'token' ? t('connections.token') : t('connections.password')} value={secret} /> : null}
        <ShownCommand title={t('connections.tryIt')} value={command} />
        {access.kind !== 'token' ? <Text size="sm">{t('connections.putText')}</Text> : null}
        {access.kind !== 'token' && fingerprint ? (
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {t('connections.fingerprint', { fingerprint })}
          </Text>
        ) : null}
      </Stack>
    </Paper>
  )
}

function Rows({ connection, rows }: { connection: Connection; rows: readonly Access[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const changed = useConnectionChanged()
  const revoke = api.useMutation('post', '/api/v1/connections/{connection}/access/{id}/revoke', {
    onSuccess: changed,
    onError: notifyProblem
  })
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('connections.accessKind')}</Table.Th>
            <Table.Th>{t('connections.username')}</Table.Th>
            <Table.Th>{t('connections.usedFor')}</Table.Th>
            <Table.Th>{t('connections.lastUsed')}</Table.Th>
            <Table.Th aria-label={t('connections.revoke')} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(access => (
            <Table.Tr key={access.id} c={access.revokedAt ? 'dimmed' : undefined}>
              <Table.Td>{t(`connections.access.${access.kind}`)}</Table.Td>
              <Table.Td>
                {access.username ?? '–'}
                {access.fingerprint ? (
                  <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                    {access.fingerprint}
                  </Text>
                ) : null}
              </Table.Td>
              <Table.Td>{access.label}</Table.Td>
              <Table.Td>{access.lastUsedAt ? format.ago(access.lastUsedAt) : t('connections.never')}</Table.Td>
              <Table.Td ta="right">
                {access.revokedAt ? (
                  <Badge color="gray" tt="none">
                    {t('connections.revoked')}
                  </Badge>
                ) : (
                  <Confirm
                    title={t('connections.revokeTitle', { label: access.label })}
                    action={t('connections.revoke')}
                    busy={revoke.isPending}
                    onConfirm={() => revoke.mutate({ params: { path: { connection: connection.id, id: access.id } } })}
                    target={ask => (
                      <Button size="sm" variant="default" onClick={ask}>
                        {t('connections.revoke')}
                      </Button>
                    )}
                  >
                    {t('connections.revokeText')}
                  </Confirm>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
