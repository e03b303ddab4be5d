import { Badge, Button, Group, Table, Text } from '@mantine/core'
import { IconArrowRight, IconGitCompare } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { Empty } from '../../parts/page'
import { notifyDone, notifyProblem } from '../../parts/problem'
import { useMay } from '../../session'

type Change = components['schemas']['OrderChange']

const colors: Readonly<Record<Change['state'], string>> = { accepted: 'teal', held: 'orange', refused: 'red', withdrawn: 'gray' }

const show = (value: unknown): string =>
  value === null || value === undefined ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value)

/** What the ERP changed after the floor had started: taken over, held for a person, or refused, field by field. */
export function Changes({ orderId, changes }: { orderId: string; changes: readonly Change[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const queries = useQueryClient()
  const settled = {
    onSuccess: () => {
      notifyDone(t('orders.changeDecided'))
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/work-orders/{orderId}'] })
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/work-orders/{orderId}/history'] })
    },
    onError: notifyProblem
  }
  const accept = api.useMutation('post', '/api/v1/work-orders/{orderId}/changes/{changeId}/accept', settled)
  const refuse = api.useMutation('post', '/api/v1/work-orders/{orderId}/changes/{changeId}/refuse', settled)
  const busy = accept.isPending || refuse.isPending
  if (changes.length === 0) {
    return (
      <Empty icon={IconGitCompare} title={t('orders.noChanges')}>
        {t('orders.noChangesText')}
      </Empty>
    )
  }
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('orders.when')}</Table.Th>
            <Table.Th>{t('orders.field')}</Table.Th>
            <Table.Th>{t('orders.change')}</Table.Th>
            <Table.Th>{t('orders.state')}</Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.map(change => (
            <Table.Tr key={change.id}>
              <Table.Td>{format.dateTime(change.at)}</Table.Td>
              <Table.Td>{change.field}</Table.Td>
              <Table.Td>
                <Group gap={6} wrap="nowrap">
                  <Text size="sm" td="line-through" c="dimmed">
                    {show(change.before)}
                  </Text>
                  <IconArrowRight size={16} aria-label={t('orders.becomes')} />
                  <Text size="sm" fw={600}>
                    {show(change.after)}
                  </Text>
                </Group>
              </Table.Td>
              <Table.Td>
                <Badge variant="light" color={colors[change.state]} tt="none">
                  {t(`change.${change.state}`)}
                </Badge>
              </Table.Td>
              <Table.Td ta="right">
                {change.state === 'held' && may('orders.manage') ? (
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    <Button size="xs" disabled={busy} onClick={() => accept.mutate({ params: { path: { orderId, changeId: change.id } } })}>
                      {t('orders.acceptChange')}
                    </Button>
                    <Button
                      size="xs"
                      variant="default"
                      disabled={busy}
                      onClick={() => refuse.mutate({ params: { path: { orderId, changeId: change.id } } })}
                    >
                      {t('orders.refuseChange')}
                    </Button>
                  </Group>
                ) : null}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
