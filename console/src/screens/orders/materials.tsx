import { Table, Text } from '@mantine/core'
import { IconPackages } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Empty } from '../../parts/page'
import { QuantityBar } from '../../parts/quantity-bar'
import type { WorkOrder } from './order-detail'

export function Materials({ order }: { order: WorkOrder }) {
  const { t } = useTranslation()
  if (order.materials.length === 0) {
    return (
      <Empty icon={IconPackages} title={t('orders.noMaterials')}>
        {t('orders.noMaterialsText')}
      </Empty>
    )
  }
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('orders.article')}</Table.Th>
            <Table.Th>{t('orders.operation')}</Table.Th>
            <Table.Th>{t('orders.location')}</Table.Th>
            <Table.Th w="40%">{t('orders.consumed')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {order.materials.map(material => (
            <Table.Tr key={material.line}>
              <Table.Td>
                <Text fw={600}>{material.article}</Text>
                <Text size="xs" c="dimmed">
                  {material.articleDescription}
                </Text>
              </Table.Td>
              <Table.Td>{material.operation}</Table.Td>
              <Table.Td>{material.location}</Table.Td>
              <Table.Td>
                <QuantityBar planned={material.quantity} good={material.consumed} scrap="0" unit={material.unit} size="sm" />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
