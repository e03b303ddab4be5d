import { Table, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../../format'
import { QuantityBar } from '../../parts/quantity-bar'
import { Reopen } from '../../parts/reopen'
import { StateBadge } from '../../parts/state-badge'
import { useMay } from '../../session'
import type { WorkOrder } from './order-detail'

export function Operations({ order }: { order: WorkOrder }) {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const reopenable = may('jobs.complete')
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('orders.operation')}</Table.Th>
            <Table.Th>{t('orders.department')}</Table.Th>
            <Table.Th>{t('orders.planTime')}</Table.Th>
            <Table.Th w="35%">{t('orders.progress')}</Table.Th>
            <Table.Th>{t('orders.state')}</Table.Th>
            {reopenable ? <Table.Th /> : null}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {order.operations.map(job => (
            <Table.Tr key={job.id}>
              <Table.Td>
                <Text fw={600}>{job.number}</Text>
                <Text size="sm">{job.description}</Text>
              </Table.Td>
              <Table.Td>
                {job.department}
                {job.workCentre ? (
                  <Text size="xs" c="dimmed">
                    {job.workCentre}
                  </Text>
                ) : null}
              </Table.Td>
              <Table.Td>{format.duration((job.setupSeconds ?? 0) + (job.runSeconds ?? 0))}</Table.Td>
              <Table.Td>
                <QuantityBar planned={job.plannedQuantity} good={job.good} scrap={job.scrap} unit={job.unit} size="sm" />
              </Table.Td>
              <Table.Td>
                <StateBadge status={job.status} />
                {job.running.length > 0 ? (
                  <Text size="xs" mt={4}>
                    {t('orders.running', { count: job.running.length })}
                  </Text>
                ) : null}
              </Table.Td>
              {reopenable ? <Table.Td ta="right">{job.status === 'completed' ? <Reopen job={job} /> : null}</Table.Td> : null}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
