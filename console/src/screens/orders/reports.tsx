import { Button, Table, Text } from '@mantine/core'
import { IconHistory } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { useEmployeeNames } from '../../parts/employees'
import { FeedbackBadge } from '../../parts/exchange-states'
import { Empty } from '../../parts/page'
import { useMay } from '../../session'
import { Correct } from './correct'
import type { WorkOrder } from './order-detail'

export type Report = components['schemas']['Report']

/** Every report with what the ERP did with it; a correction is a reversal and a replacement, the first row stays. */
export function Reports({ order, reports }: { order: WorkOrder; reports: readonly Report[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const nameOf = useEmployeeNames()
  const [correcting, setCorrecting] = useState<Report>()
  const reversed = new Set(reports.map(report => report.reverses))
  const jobs = new Map(order.operations.map(job => [job.id, job]))
  if (reports.length === 0) {
    return (
      <Empty icon={IconHistory} title={t('orders.noReports')}>
        {t('orders.noReportsText')}
      </Empty>
    )
  }
  return (
    <>
      <Table.ScrollContainer minWidth={880}>
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('orders.when')}</Table.Th>
              <Table.Th>{t('orders.operation')}</Table.Th>
              <Table.Th>{t('orders.kind')}</Table.Th>
              <Table.Th ta="right">{t('quantity.good')}</Table.Th>
              <Table.Th ta="right">{t('quantity.scrap')}</Table.Th>
              <Table.Th>{t('orders.atErp')}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {reports.map(report => {
              const gone = reversed.has(report.id)
              const correctable = may('jobs.correct') && !gone && (report.kind === 'report' || report.kind === 'replacement')
              return (
                <Table.Tr key={report.id} td={gone ? 'line-through' : undefined} c={gone ? 'dimmed' : undefined}>
                  <Table.Td>
                    {format.dateTime(report.at)}
                    <Text size="xs" c="dimmed">
                      {nameOf(report.employeeId)}
                    </Text>
                  </Table.Td>
                  <Table.Td>{jobs.get(report.jobId)?.number}</Table.Td>
                  <Table.Td>
                    {t(`report.${report.kind}`)}
                    {report.reason ? (
                      <Text size="xs" c="dimmed">
                        {report.reason}
                      </Text>
                    ) : null}
                  </Table.Td>
                  <Table.Td ta="right">{format.quantity(report.good)}</Table.Td>
                  <Table.Td ta="right">
                    {format.quantity(report.scrap)}
                    <Text size="xs" c="dimmed">
                      {report.scrapReason}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {report.feedback ? <FeedbackBadge state={report.feedback.state} /> : null}
                    <Text size="xs" c="dimmed">
                      {report.feedback?.settledAt ? format.dateTime(report.feedback.settledAt) : report.feedback?.reason}
                    </Text>
                  </Table.Td>
                  <Table.Td ta="right">
                    {correctable ? (
                      <Button size="xs" variant="default" onClick={() => setCorrecting(report)}>
                        {t('orders.correct')}
                      </Button>
                    ) : null}
                  </Table.Td>
                </Table.Tr>
              )
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {correcting ? <Correct key={correcting.id} report={correcting} close={() => setCorrecting(undefined)} /> : null}
    </>
  )
}
