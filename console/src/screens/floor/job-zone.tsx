import { ActionIcon, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconClipboardList, IconLock, IconPlayerPauseFilled, IconPlayerPlayFilled, IconX } from '@tabler/icons-react'
import { type InfiniteData, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, isProblem } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import type { Job } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { QuantityBar } from '../../parts/quantity-bar'
import { StateBadge } from '../../parts/state-badge'
import { useMay, useMe } from '../../session'
import { ActNotes } from './act-notes'
import { Due } from './due'
import { Ended } from './ended'
import classes from './floor.module.css'
import { aboutJob, useFloor } from './floor-context'
import { Materials } from './materials'
import { People } from './people'
import { ReportPanel } from './report-panel'
import { isOpen, useAskAgain, useClock, useKeys } from './use-floor'

/** The job in hand; without one, what to do to get one. */
export function JobZone() {
  const { t } = useTranslation()
  const { jobId } = useFloor()
  if (!jobId) {
    return (
      <Empty icon={IconClipboardList} title={t('floor.noJob')}>
        {t('floor.noJobText')}
      </Empty>
    )
  }
  return <OpenJob jobId={jobId} />
}

function OpenJob({ jobId }: { jobId: string }) {
  const queries = useQueryClient()
  const refetchInterval = useAskAgain()
  const { acts } = useActs()
  const job = api.useQuery(
    'get',
    '/api/v1/jobs/{jobId}',
    { params: { path: { jobId } } },
    {
      // The list has it already: nothing to wait for, also without a network.
      placeholderData: () =>
        queries
          .getQueriesData<InfiniteData<components['schemas']['JobPage']>>({ queryKey: ['get', '/api/v1/jobs'] })
          .flatMap(([, list]) => list?.pages.flatMap(page => page.items) ?? [])
          .find(one => one.id === jobId),
      refetchInterval
    }
  )
  const gone = isProblem(job.error) && (job.error.status === 404 || job.error.status === 403)
  const bookable = !gone && (job.data === undefined || isOpen(job.data))
  const notes = <ActNotes acts={acts.filter(act => act.request.jobId === jobId)} bookable={bookable} />
  // What was read before it went away says nothing any more.
  if (gone) return <Gone notes={notes} />
  if (job.data) return <JobInHand job={job.data} notes={notes} />
  return (
    <Stack p="md">
      {notes}
      {job.error ? <ProblemNote error={job.error} retry={job.refetch} /> : <Skeleton height={400} />}
    </Stack>
  )
}

/** Taken out of one's groups, or no longer there. */
function Gone({ notes }: { notes: React.ReactNode }) {
  const { t } = useTranslation()
  const close = useCloseJob()
  return (
    <Stack p="md">
      {notes}
      <Empty
        icon={IconLock}
        title={t('floor.gone')}
        action={
          <Button variant="default" onClick={close}>
            {t('floor.closeJob')}
          </Button>
        }
      >
        {t('floor.goneText')}
      </Empty>
    </Stack>
  )
}

function useCloseJob(): () => void {
  const navigate = useNavigate()
  const { toScan } = useFloor()
  return () => {
    navigate('/floor', { replace: true })
    toScan()
  }
}

function JobInHand({ job, notes }: { job: Job; notes: React.ReactNode }) {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const { employeeId } = useMe()
  const { running, moving, open, toggle } = useClock(job)
  const close = useCloseJob()
  useKeys({ ' ': toggle, Escape: close })
  const planned = [
    job.setupSeconds ? t('floor.plannedSetup', { time: format.duration(job.setupSeconds) }) : null,
    job.runSeconds ? t('floor.plannedRun', { time: format.duration(job.runSeconds) }) : null
  ].filter(text => text !== null)
  return (
    <>
      <Group className={classes.head ?? ''} justify="space-between" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Group gap="xs">
            <Title order={2} size="h3">
              {aboutJob(job)}
            </Title>
            <StateBadge status={job.status} />
          </Group>
          <Text fw={600} lineClamp={2}>
            {job.description}
          </Text>
          <Text size="sm" c="dimmed" lineClamp={2}>
            {[job.article, job.orderDescription, job.workCentre].filter(Boolean).join(' · ')}
          </Text>
        </div>
        <Stack gap={4} align="flex-end">
          <ActionIcon variant="subtle" color="gray" size={44} onClick={close} aria-label={t('floor.closeJob')}>
            <IconX size={22} />
          </ActionIcon>
          <Due date={job.due} />
        </Stack>
      </Group>
      <div className={classes.body} data-scroll>
        <Stack gap="sm">
          {notes}
          <QuantityBar planned={job.plannedQuantity} good={job.good} scrap={job.scrap} unit={job.unit} />
          {open && employeeId !== null ? (
            <Button
              className={classes.big ?? ''}
              fullWidth
              color={running ? 'orange' : 'green'}
              loading={moving !== undefined}
              leftSection={running ? <IconPlayerPauseFilled size={30} /> : <IconPlayerPlayFilled size={30} />}
              onClick={toggle}
              aria-keyshortcuts="Space"
            >
              {running ? t('floor.pause') : t('floor.start')}
            </Button>
          ) : null}
          <People job={job} />
          {open ? may('jobs.report') || may('jobs.complete') ? <ReportPanel job={job} /> : null : <Ended job={job} />}
          <Materials job={job} />
          {planned.length > 0 ? (
            <Text size="sm" c="dimmed">
              {planned.join(' · ')}
            </Text>
          ) : null}
        </Stack>
      </div>
    </>
  )
}
