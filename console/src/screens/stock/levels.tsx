import { Button, Checkbox, Group, Skeleton, Table, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconPackages, IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { useFilter } from '../../parts/filter'
import { More } from '../../parts/more'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useMay } from '../../session'
import { Adjust } from './adjust'
import { Ledger } from './ledger'
import { unplaced, usePlaceName } from './place-name'
import { Transfer } from './transfer'

export type Level = components['schemas']['StockLevel']

export const levelKey = (level: Level): string => `${level.article} ${level.location} ${level.lot ?? ''}`

/** What lies where: the ERP's figure plus what we booked since. Behind each figure is its ledger. */
export function Levels() {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const [filter, setFilter] = useFilter(['article', 'location', 'negative'])
  const [article] = useDebouncedValue(filter.article.trim(), 250)
  const [location] = useDebouncedValue(filter.location.trim(), 250)
  const [open, setOpen] = useState<{ level: Level; what: 'ledger' | 'transfer' | 'adjust' }>()
  const levels = api.useInfiniteQuery(
    'get',
    '/api/v1/stock',
    {
      params: {
        query: {
          limit: 50,
          ...(article ? { article } : {}),
          ...(location ? { location } : {}),
          ...(filter.negative ? { negative: true } : {})
        }
      }
    },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined, placeholderData: before => before }
  )
  const rows = levels.data?.pages.flatMap(page => page.items) ?? []
  const filtered = article !== '' || location !== '' || filter.negative !== ''
  const placeName = usePlaceName()
  const close = () => setOpen(undefined)
  return (
    <>
      <Group mb="md">
        <TextInput
          w={240}
          aria-label={t('stock.article')}
          placeholder={t('stock.article')}
          leftSection={<IconSearch size={18} />}
          value={filter.article}
          onChange={event => setFilter('article', event.currentTarget.value)}
        />
        <TextInput
          w={200}
          aria-label={t('stock.location')}
          placeholder={t('stock.location')}
          value={filter.location}
          onChange={event => setFilter('location', event.currentTarget.value)}
        />
        <Checkbox
          label={t('stock.onlyNegative')}
          checked={filter.negative !== ''}
          onChange={event => setFilter('negative', event.currentTarget.checked ? '1' : null)}
        />
      </Group>
      <ProblemNote error={levels.error} retry={levels.refetch} />
      <Table.ScrollContainer minWidth={760}>
        <Table highlightOnHover verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('stock.article')}</Table.Th>
              <Table.Th>{t('stock.location')}</Table.Th>
              <Table.Th ta="right">{t('stock.quantity')}</Table.Th>
              <Table.Th ta="right">{t('stock.erpFigure')}</Table.Th>
              <Table.Th ta="right">{t('stock.pending')}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(level => (
              <Table.Tr key={levelKey(level)}>
                <Table.Td>
                  <Text fw={600} size="sm">
                    {level.article}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {level.description}
                  </Text>
                </Table.Td>
                <Table.Td>
                  {placeName(level.location)}
                  <Text size="xs" c="dimmed">
                    {[level.warehouse, level.lot].filter(part => part && part !== unplaced).join(' · ')}
                  </Text>
                </Table.Td>
                <Table.Td ta="right">
                  <UnstyledButton
                    onClick={() => setOpen({ level, what: 'ledger' })}
                    title={t('stock.openLedger', { article: level.article, location: placeName(level.location) })}
                  >
                    <Text fw={700} c={level.quantity.startsWith('-') ? 'red' : 'blue'} td="underline" span>
                      {format.quantity(level.quantity)} {level.unit}
                    </Text>
                  </UnstyledButton>
                </Table.Td>
                <Table.Td ta="right">
                  {format.quantity(level.snapshot.quantity)}
                  <Text size="xs" c="dimmed">
                    {format.dateTime(level.snapshot.asOf)}
                  </Text>
                </Table.Td>
                <Table.Td ta="right">{format.quantity(level.pending)}</Table.Td>
                <Table.Td>
                  <Group gap="xs" justify="flex-end" wrap="nowrap">
                    {may('stock.transfer') ? (
                      <Button size="xs" variant="default" onClick={() => setOpen({ level, what: 'transfer' })}>
                        {t('stock.transfer')}
                      </Button>
                    ) : null}
                    {may('stock.adjust') ? (
                      <Button size="xs" variant="default" onClick={() => setOpen({ level, what: 'adjust' })}>
                        {t('stock.adjust')}
                      </Button>
                    ) : null}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {levels.isPending ? <Skeleton height={300} /> : null}
      {levels.isSuccess && rows.length === 0 ? (
        <Empty icon={IconPackages} title={filtered ? t('stock.none') : t('stock.empty')}>
          {filtered ? t('stock.noneText') : t('stock.emptyText')}
        </Empty>
      ) : null}
      <More query={levels} />
      {open?.what === 'ledger' ? <Ledger level={open.level} close={close} /> : null}
      {open?.what === 'transfer' ? <Transfer level={open.level} close={close} /> : null}
      {open?.what === 'adjust' ? <Adjust level={open.level} close={close} /> : null}
    </>
  )
}
