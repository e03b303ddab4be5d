import { ActionIcon, Badge, Group, Text, UnstyledButton } from '@mantine/core'
import { IconAlertCircle, IconPlayerPauseFilled, IconPlayerPlayFilled } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../../format'
import type { Job } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { useMe } from '../../session'
import { Due } from './due'
import classes from './floor.module.css'
import { aboutJob, useFloor } from './floor-context'
import { useClock } from './use-floor'

/** One job of the list: the left part opens it, the button starts or pauses my clock at once. */
export function JobRow({ job, opened }: { job: Job; opened: boolean }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { open } = useFloor()
  const { employeeId } = useMe()
  const { acts } = useActs()
  const { running, moving, toggle } = useClock(job)
  const name = aboutJob(job)
  const refused = acts.some(act => act.request.jobId === job.id && (act.state === 'refused' || act.state === 'old'))
  const others = job.running.filter(one => one.employeeId !== employeeId).length
  return (
    <div className={classes.row} data-open={opened || undefined}>
      <UnstyledButton className={classes.rowOpen ?? ''} onClick={() => open(job.id)} aria-current={opened ? 'true' : undefined}>
        <Group gap={6} wrap="nowrap" justify="space-between">
          <Group gap={6} wrap="nowrap">
            <Text fw={700} style={{ whiteSpace: 'nowrap' }}>
              {name}
            </Text>
            {refused ? <IconAlertCircle size={20} color="var(--mantine-color-red-text)" aria-label={t('floor.hasRefusal')} /> : null}
            {job.priority > 0 ? (
              <Badge size="sm" color="orange" variant="dot" tt="none" miw="fit-content">
                {t('floor.priority', { priority: job.priority })}
              </Badge>
            ) : null}
          </Group>
          <Due date={job.due} />
        </Group>
        <Text size="sm" lineClamp={1}>
          {job.description}
        </Text>
        <Group gap={6} wrap="nowrap" justify="space-between">
          <Text size="sm" c="dimmed" truncate>
            {job.article ?? job.orderDescription}
          </Text>
          <Text size="sm" c="dimmed" className="figures" style={{ whiteSpace: 'nowrap' }}>
            {t('quantity.bar', { good: format.quantity(job.good), planned: format.quantity(job.plannedQuantity), unit: job.unit })}
          </Text>
        </Group>
        {running || others > 0 || job.status === 'paused' ? (
          <Text size="sm" fw={600}>
            {running ? t('floor.meRunning') : others > 0 ? t('floor.others', { count: others }) : t('status.paused')}
          </Text>
        ) : null}
      </UnstyledButton>
      {employeeId === null ? null : (
        <ActionIcon
          className={classes.rowAct ?? ''}
          size={60}
          radius="xl"
          color={running ? 'orange' : 'green'}
          loading={moving !== undefined}
          onClick={toggle}
          aria-label={running ? t('floor.pauseJob', { job: name }) : t('floor.startJob', { job: name })}
        >
          {running ? <IconPlayerPauseFilled size={28} /> : <IconPlayerPlayFilled size={28} />}
        </ActionIcon>
      )}
    </div>
  )
}
