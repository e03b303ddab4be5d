import { Group, Select, Skeleton, Table, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch, IconSend } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { FeedbackBadge, feedbackStates } from '../../parts/exchange-states'
import { useFilter } from '../../parts/filter'
import { More } from '../../parts/more'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useKindName } from '../../parts/record-kind'
import { FeedbackDetail } from './feedback-detail'

/** What goes back to the ERP, newest last, each with where it stands. */
export function Feedback({ connectionId }: { connectionId: string }) {
  const { t } = useTranslation()
  const format = useFormat()
  const kindName = useKindName()
  const [filter, setFilter] = useFilter(['state', 'order', 'message'])
  const [order] = useDebouncedValue(filter.order, 300)
  const messages = api.useInfiniteQuery(
    'get',
    '/api/v1/outbox',
    {
      params: {
        query: { connectionId, limit: 50, ...(filter.state ? { state: filter.state } : {}), ...(order ? { order } : {}) }
      }
    },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined, placeholderData: before => before }
  )
  const rows = messages.data?.pages.flatMap(page => page.items) ?? []
  const filtered = filter.state !== '' || order !== ''
  return (
    <>
      <Group mb="md">
        <TextInput
          w={240}
          aria-label={t('connections.searchOrder')}
          placeholder={t('connections.searchOrder')}
          leftSection={<IconSearch size={18} />}
          value={filter.order}
          onChange={event => setFilter('order', event.currentTarget.value.trim())}
        />
        <Select
          w={240}
          aria-label={t('connections.state')}
          placeholder={t('connections.state')}
          clearable
          data={[
            { value: 'open', label: t('connections.allOpen') },
            ...feedbackStates.map(state => ({ value: state as string, label: t(`feedback.${state}`) }))
          ]}
          value={filter.state || null}
          onChange={value => setFilter('state', value)}
        />
      </Group>
      <ProblemNote error={messages.error} retry={messages.refetch} />
      {rows.length > 0 ? (
        <Table.ScrollContainer minWidth={720}>
          <Table highlightOnHover verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('connections.message')}</Table.Th>
                <Table.Th>{t('connections.about')}</Table.Th>
                <Table.Th>{t('connections.state')}</Table.Th>
                <Table.Th>{t('connections.document')}</Table.Th>
                <Table.Th>{t('connections.made')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(message => (
                <Table.Tr key={message.number}>
                  <Table.Td>
                    <Text
                      component="button"
                      type="button"
                      fw={600}
                      c="blue"
                      bg="none"
                      bd={0}
                      p={0}
                      mih={24}
                      ta="left"
                      style={{ cursor: 'pointer' }}
                      onClick={() => setFilter('message', message.number)}
                    >
                      {kindName(message.kind)}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {t('connections.number', { number: message.number })}
                    </Text>
                  </Table.Td>
                  <Table.Td>{message.orderingKey}</Table.Td>
                  <Table.Td>
                    <FeedbackBadge state={message.state} />
                    {message.reject ? (
                      <Text size="xs" c="var(--mantine-color-error)" lang="en" maw={320}>
                        {message.reject.message}
                      </Text>
                    ) : null}
                  </Table.Td>
                  <Table.Td style={{ overflowWrap: 'anywhere' }}>{message.document}</Table.Td>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{format.dateTime(message.createdAt)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : null}
      {messages.isPending ? <Skeleton height={300} /> : null}
      {messages.isSuccess && rows.length === 0 ? (
        <Empty icon={IconSend} title={filtered ? t('connections.noneFound') : t('connections.noFeedback')}>
          {filtered ? t('connections.noneFoundText') : t('connections.noFeedbackText')}
        </Empty>
      ) : null}
      <More query={messages} />
      {filter.message ? <FeedbackDetail number={filter.message} close={() => setFilter('message', null)} /> : null}
    </>
  )
}
