import { Group, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { IconClock } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { useEmployeeNames } from '../../parts/employees'
import { useFilter } from '../../parts/filter'
import { HoursChart } from '../../parts/hours-chart'
import { More } from '../../parts/more'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useMe } from '../../session'
import { Bookings } from './bookings'

/** The day of everybody: per person what was booked on orders and on other work, and each booking under it. */
export function TeamDay() {
  const { t } = useTranslation()
  const format = useFormat()
  const { zone } = useMe()
  const names = useEmployeeNames()
  // The calendar day where the customer is, as YYYY-MM-DD.
  const now = new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(new Date())
  const [filter, setFilter] = useFilter(['day'])
  const day = filter.day || now
  const hours = api.useInfiniteQuery(
    'get',
    '/api/v1/hours',
    { params: { query: { day, limit: 200 } } },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined, placeholderData: before => before }
  )
  const bookings = hours.data?.pages.flatMap(page => page.items) ?? []
  const nameOf = (id: string) => names(id) || t('hours.unnamed')
  const people = new Map<string, { direct: number; indirect: number }>()
  for (const { employeeId, activity, seconds } of bookings) {
    const sum = people.get(employeeId) ?? { direct: 0, indirect: 0 }
    sum[activity === 'indirect' ? 'indirect' : 'direct'] += seconds
    people.set(employeeId, sum)
  }
  const total = [...people.values()].reduce((sum, one) => sum + one.direct + one.indirect, 0)
  return (
    <Stack>
      <Group>
        <TextInput
          type="date"
          w={180}
          aria-label={t('hours.day')}
          value={day}
          max={now}
          onChange={event => setFilter('day', event.currentTarget.value || null)}
        />
        <Text fw={700} className="figures">
          {t('hours.total', { time: format.duration(total), count: people.size })}
        </Text>
      </Group>
      <ProblemNote error={hours.error} retry={hours.refetch} />
      {hours.isPending ? <Skeleton height={300} /> : null}
      {hours.isSuccess && bookings.length === 0 ? (
        <Empty icon={IconClock} title={t('hours.empty')}>
          {t('hours.teamEmptyText')}
        </Empty>
      ) : null}
      {bookings.length > 0 ? (
        <>
          <HoursChart people={[...people].map(([id, sums]) => ({ name: nameOf(id), ...sums }))} />
          <Bookings bookings={bookings} nameOf={nameOf} />
        </>
      ) : null}
      <More query={hours} />
    </Stack>
  )
}
