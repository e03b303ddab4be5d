import { Drawer, Skeleton, Table, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { FeedbackBadge } from '../../parts/exchange-states'
import { More } from '../../parts/more'
import { ProblemNote } from '../../parts/problem'
import type { Level } from './levels'
import { usePlaceName } from './place-name'

/** Every transaction of one article at one location, newest first: where the figure comes from. */
export function Ledger({ level, close }: { level: Level; close: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const placeName = usePlaceName()
  const ledger = api.useInfiniteQuery(
    'get',
    '/api/v1/stock-transactions',
    { params: { query: { article: level.article, location: level.location, limit: 50 } } },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined }
  )
  const rows = ledger.data?.pages.flatMap(page => page.items) ?? []
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size="xl"
      title={t('stock.ledgerOf', { article: level.article, location: placeName(level.location) })}
      closeButtonProps={{ 'aria-label': t('act.close') }}
    >
      <Text size="sm" mb="md">
        {t('stock.ledgerText', {
          quantity: format.quantity(level.quantity),
          erp: format.quantity(level.snapshot.quantity),
          pending: format.quantity(level.pending),
          unit: level.unit
        })}
      </Text>
      <ProblemNote error={ledger.error} retry={ledger.refetch} />
      {ledger.isPending ? <Skeleton height={200} /> : null}
      <Table.ScrollContainer minWidth={560}>
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('orders.when')}</Table.Th>
              <Table.Th>{t('orders.kind')}</Table.Th>
              <Table.Th ta="right">{t('stock.quantity')}</Table.Th>
              <Table.Th>{t('orders.number')}</Table.Th>
              <Table.Th>{t('orders.atErp')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(row => (
              <Table.Tr key={row.id}>
                <Table.Td>{format.dateTime(row.at)}</Table.Td>
                <Table.Td>
                  {t(`transaction.${row.kind}`)}
                  {row.reason ? (
                    <Text size="xs" c="dimmed">
                      {row.reason}
                    </Text>
                  ) : null}
                </Table.Td>
                <Table.Td ta="right" fw={600} c={row.quantity.startsWith('-') ? 'red' : undefined}>
                  {format.quantity(row.quantity)}
                </Table.Td>
                <Table.Td>{[row.orderNumber, row.operationNumber].filter(Boolean).join(' / ')}</Table.Td>
                <Table.Td>{row.feedback ? <FeedbackBadge state={row.feedback.state} /> : null}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {ledger.isSuccess && rows.length === 0 ? <Text c="dimmed">{t('stock.noTransactions')}</Text> : null}
      <More query={ledger} />
    </Drawer>
  )
}
