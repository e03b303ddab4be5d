import { Badge, Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconClockPause, IconPlayerPauseFilled, IconPlayerStopFilled, IconUserQuestion } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { type Act, isWaiting } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useMay, useMe } from '../../session'
import { ActNotes } from './act-notes'
import { clock } from './clock'
import classes from './floor.module.css'
import { useFloor } from './floor-context'
import { OtherWork } from './other-work'
import { useNow, useToday } from './use-floor'

type RunningTime = components['schemas']['RunningTime']

/** My clocks, with the time as it would be booked this moment: clocks that run at once share each minute. */
export function Running() {
  const { t } = useTranslation()
  const format = useFormat()
  const { employeeId } = useMe()
  const may = useMay()
  const today = useToday()
  const { acts } = useActs()
  const now = useNow()
  if (employeeId === null) {
    return (
      <Empty
        icon={IconUserQuestion}
        title={t('floor.noEmployee')}
        action={
          <Stack gap="xs" mt="xs">
            {may('users.manage') ? (
              <Button component={Link} to="/people/users" variant="light" h={44} px="sm">
                {t('floor.toUsers')}
              </Button>
            ) : null}
            {may('orders.read') ? (
              <Button component={Link} to="/overview" variant="subtle" h={44} px="sm">
                {t('floor.toOverview')}
              </Button>
            ) : null}
          </Stack>
        }
      >
        {t('floor.noEmployeeText')}
      </Empty>
    )
  }
  const running = today.data?.running ?? []
  const since = running.length === 0 ? 0 : Math.max(0, now - today.dataUpdatedAt) / 1_000 / running.length
  const whole = (today.data?.seconds ?? 0) + running.reduce((sum, one) => sum + one.seconds + since, 0)
  return (
    <>
      <Group className={classes.head ?? ''} justify="space-between" gap={0}>
        <Title order={2} size="h5">
          {t('floor.running')}
        </Title>
        <Text size="sm" className="figures" c="dimmed">
          {today.data ? t('floor.dayTotal', { time: format.duration(whole) }) : ' '}
        </Text>
      </Group>
      <div className={classes.body}>
        <Stack gap="sm">
          <ActNotes acts={acts.filter(act => act.request.jobId === null)} />
          {today.error && !today.data ? <ProblemNote error={today.error} retry={today.refetch} /> : null}
          {today.isPending ? <Skeleton height={150} /> : null}
          {running.map(one => (
            <RunningCard key={one.intervalId} one={one} seconds={one.seconds + since} acts={acts} />
          ))}
          {today.data && running.length === 0 ? (
            <Stack align="center" gap={4} py="md" ta="center">
              <IconClockPause size={34} stroke={1.4} aria-hidden />
              <Text fw={600}>{t('floor.nothingRuns')}</Text>
              <Text size="sm" c="dimmed">
                {t('floor.nothingRunsText')}
              </Text>
            </Stack>
          ) : null}
          {running.length > 1 ? (
            <Text size="sm" c="dimmed">
              {t('hours.sharedNow', { count: running.length })}
            </Text>
          ) : null}
          <OtherWork running={running.some(one => one.jobId === null)} />
        </Stack>
      </div>
    </>
  )
}

function RunningCard({ one, seconds, acts }: { one: RunningTime; seconds: number; acts: readonly Act[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { open, act } = useFloor()
  const codes = api.useQuery('get', '/api/v1/activity-codes', {}, { enabled: one.jobId === null, staleTime: 300_000 })
  const job = api.useQuery(
    'get',
    '/api/v1/jobs/{jobId}',
    { params: { path: { jobId: one.jobId ?? '' } } },
    { enabled: one.jobId !== null, staleTime: 60_000 }
  )
  const { jobId } = one
  const name = jobId ? `${one.orderNumber} / ${one.operationNumber}` : (one.activityCode ?? '')
  const text = jobId ? job.data?.description : codes.data?.items.find(code => code.code === one.activityCode)?.name
  const stopping = acts.some(
    given => isWaiting(given) && given.request.jobId === jobId && ['pause', 'complete', 'stopOther'].includes(given.request.kind)
  )
  return (
    <Card withBorder padding="sm" component="article" aria-label={name}>
      <Group justify="space-between" wrap="nowrap" gap={6}>
        {jobId ? (
          <Button variant="transparent" px={0} fw={700} onClick={() => open(jobId)} aria-label={t('floor.open', { job: name })}>
            {name}
          </Button>
        ) : (
          <Text fw={700} py={6}>
            {text ?? name}
          </Text>
        )}
        {one.activity === 'setup' ? (
          <Badge variant="light" tt="none">
            {t('activity.setup')}
          </Badge>
        ) : null}
      </Group>
      {jobId ? (
        <Text size="sm" lineClamp={2}>
          {text}
        </Text>
      ) : null}
      <div className={classes.clock} role="timer">
        {clock(seconds)}
      </div>
      <Text size="xs" c="dimmed" mb={8}>
        {t('hours.since', { time: format.time(one.startedAt) })}
      </Text>
      <Button
        fullWidth
        size="lg"
        color="orange"
        loading={stopping}
        leftSection={jobId ? <IconPlayerPauseFilled /> : <IconPlayerStopFilled />}
        aria-label={jobId ? t('floor.pauseJob', { job: name }) : t('floor.stopOther', { name: text ?? name })}
        onClick={() =>
          act(jobId ? { kind: 'pause', jobId, body: {} } : { kind: 'stopOther', jobId: null, body: {} }, jobId ? name : (text ?? name))
        }
      >
        {jobId ? t('floor.pause') : t('floor.stop')}
      </Button>
    </Card>
  )
}
