import { Alert, Button, Group, Loader, Text } from '@mantine/core'
import { IconAlertCircle, IconClockExclamation } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../../format'
import { type Act, isWaiting } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { problemText } from '../../parts/problem'
import { emptyDraft, useFloor } from './floor-context'
import { useActText } from './use-act-text'

/**
 * What is on its way, and what was refused with what can be done about it; the figures of a refused report are not lost: they stay in
 * its title until it is dismissed, and go back into the panel as soon as the job can be booked on.
 */
export function ActNotes({ acts, bookable = true }: { acts: readonly Act[]; bookable?: boolean }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { queue } = useActs()
  const { setDraft, open, toScan } = useFloor()
  const textOf = useActText()
  const dismiss = (act: Act) => {
    queue.dismiss(act.key)
    toScan()
  }
  return acts.map(act => {
    const { request, problem, state } = act
    if (isWaiting(act)) {
      return (
        <Group key={act.key} gap="xs" role="status" wrap="nowrap">
          <Loader size="xs" aria-hidden />
          <Text size="sm" fw={600}>
            {t('floor.unsent', { act: textOf(act), time: format.time(act.at) })}
          </Text>
        </Group>
      )
    }
    const figures = request.kind === 'report' || request.kind === 'complete'
    return (
      <Alert
        key={act.key}
        role="alert"
        color={state === 'old' ? 'orange' : 'red'}
        icon={state === 'old' ? <IconClockExclamation /> : <IconAlertCircle />}
        title={t(state === 'old' ? 'floor.oldAct' : 'floor.refusedAct', { act: textOf(act), time: format.dateTime(act.at) })}
      >
        <Text size="sm">{problem ? problemText(problem) : t('floor.oldText')}</Text>
        {problem ? (
          <Text size="xs" c="dimmed" lang="en">
            {problem.detail}
          </Text>
        ) : null}
        <Group gap="xs" mt="xs">
          {figures && bookable ? (
            <Button
              size="md"
              onClick={() => {
                const { good, scrap, rework, scrapReason, reason } = request.body
                queue.dismiss(act.key)
                setDraft(request.jobId, {
                  ...emptyDraft,
                  good: good ?? '0',
                  scrap: scrap ?? '0',
                  rework: rework ?? '0',
                  scrapReason: scrapReason ?? null,
                  reason: reason ?? ''
                })
                open(request.jobId)
              }}
            >
              {t('floor.myFigures')}
            </Button>
          ) : null}
          {figures && state === 'refused' ? null : (
            <Button size="md" variant="default" onClick={() => queue.again(act.key)}>
              {state === 'old' ? t('floor.sendNow') : t('act.again')}
            </Button>
          )}
          <Button size="md" variant="default" onClick={() => dismiss(act)}>
            {t('floor.dismiss')}
          </Button>
        </Group>
      </Alert>
    )
  })
}
