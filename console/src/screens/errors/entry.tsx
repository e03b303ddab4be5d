import { Alert, Anchor, Button, Drawer, Group, Loader, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { useFieldName } from '../../parts/field-name'
import { ProblemNote } from '../../parts/problem'
import { RejectText } from '../../parts/reject-text'
import { useMay } from '../../session'
import { EditRow } from './edit-row'
import { RejectState } from './reject-state'
import { Resend } from './resend'
import { Retry } from './retry'
import { Translate } from './translate'
import { type Reject, usePlace, useRecordName } from './use-errors'

/** One problem and what can be done about it. It stays open after an act and tells how that went. */
export function Entry({ id, close }: { id: string; close: () => void }) {
  const { t } = useTranslation()
  const recordName = useRecordName()
  const reject = api.useQuery('get', '/api/v1/rejects/{id}', { params: { path: { id } } })
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size="xl"
      title={<b>{reject.data ? recordName(reject.data) : t('errors.entry')}</b>}
      closeButtonProps={{ 'aria-label': t('act.close') }}
    >
      <ProblemNote error={reject.error} retry={reject.refetch} />
      {reject.data ? <Body reject={reject.data} /> : reject.isPending ? <Skeleton height={420} /> : null}
    </Drawer>
  )
}

function Body({ reject }: { reject: Reject }) {
  const { t } = useTranslation()
  const format = useFormat()
  const place = usePlace()
  const fieldName = useFieldName()
  return (
    <Stack>
      <Group gap="xs">
        <RejectState state={reject.state} />
        <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {place(reject)}
        </Text>
      </Group>
      {reject.state === 'open' ? (
        <Alert color="red" icon={<IconAlertTriangle />} role="alert">
          <RejectText {...reject} />
        </Alert>
      ) : null}
      {reject.state === 'replaying' ? (
        <Group gap="sm" role="status">
          <Loader size="sm" />
          <Text size="sm">{t('errors.replaying')}</Text>
        </Group>
      ) : null}
      {reject.state === 'resolved' || reject.state === 'skipped' ? (
        <Alert
          color={reject.state === 'resolved' ? 'teal' : 'gray'}
          icon={<IconCheck />}
          role="status"
          title={t(`errors.done.${reject.state}`)}
        >
          <Text size="sm">{format.dateTime(reject.resolvedAt)}</Text>
          {reject.resolution ? (
            <Text size="xs" c="dimmed">
              {reject.resolution}
            </Text>
          ) : null}
        </Alert>
      ) : null}
      <SimpleGrid cols={{ base: 2, xs: 4 }}>
        <Fact label={t('errors.field')}>{reject.field ? fieldName(reject.field) : '–'}</Fact>
        <Fact label={t('errors.value')} wrong={reject.state === 'open'}>
          {reject.value ?? '–'}
        </Fact>
        <Fact label={t('errors.attempts')}>{format.count(reject.attempts)}</Fact>
        <Fact label={t('errors.firstSeen')}>{format.dateTime(reject.createdAt)}</Fact>
      </SimpleGrid>
      {reject.state === 'open' ? <Acts reject={reject} /> : null}
      <Links reject={reject} />
    </Stack>
  )
}

function Fact({ label, wrong = false, children }: { label: string; wrong?: boolean; children: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm" fw={600} {...(wrong ? { c: 'var(--mantine-color-error)' } : {})} style={{ overflowWrap: 'anywhere' }}>
        {children}
      </Text>
    </div>
  )
}

function Acts({ reject }: { reject: Reject }) {
  const { t } = useTranslation()
  const may = useMay()
  const [editing, setEditing] = useState(false)
  const causes = api.useQuery('get', '/api/v1/reject-causes', {
    params: { query: { state: 'open', connection: reject.connectionId, kind: reject.kind, code: reject.code, limit: 200 } }
  })
  const count = causes.data?.items.find(({ cause }) => cause === reject.cause)?.count ?? 1
  if (reject.direction === 'out') return <Resend reject={reject} />
  const translates = reject.codeTable !== null && reject.value !== null && may('exchange.configure')
  const edits = reject.hasRow && may('exchange.read_raw') && may('exchange.operate')
  return (
    <Stack>
      {count > 1 ? (
        <Text size="sm" fw={600}>
          {t('errors.shared', { count })}
        </Text>
      ) : null}
      {translates ? <Translate reject={reject} count={count} /> : null}
      {editing ? <EditRow reject={reject} cancel={() => setEditing(false)} /> : null}
      {may('exchange.operate') ? (
        <Retry reject={reject} count={count} tries={!translates && !editing}>
          {edits && !editing ? (
            <Button variant={translates ? 'default' : 'filled'} onClick={() => setEditing(true)}>
              {t('errors.edit')}
            </Button>
          ) : null}
        </Retry>
      ) : (
        <Text size="sm" c="dimmed">
          {t('errors.mayNot')}
        </Text>
      )}
      {reject.hasRow || reject.delivery ? null : (
        <Text size="sm" c="dimmed">
          {t('errors.nothingKept')}
        </Text>
      )}
    </Stack>
  )
}

function Links({ reject }: { reject: Reject }) {
  const { t } = useTranslation()
  const base = `/connections/${reject.connectionId}`
  return (
    <Group gap="lg">
      {reject.delivery ? (
        <Anchor component={Link} to={`${base}/deliveries?delivery=${reject.delivery.id}`} size="sm">
          {t('errors.toDelivery')}
        </Anchor>
      ) : null}
      {reject.feedback ? (
        <Anchor component={Link} to={`${base}/feedback?message=${reject.feedback}`} size="sm">
          {t('errors.toMessage')}
        </Anchor>
      ) : null}
      <Anchor component={Link} to={`${base}/mapping`} size="sm">
        {t('errors.toMapping')}
      </Anchor>
    </Group>
  )
}
