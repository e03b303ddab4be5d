import { ActionIcon, Badge, Button, Group, Text } from '@mantine/core'
import { IconArrowBackUp, IconPlayerPlayFilled, IconPlugConnected, IconPlugConnectedX, IconQuestionMark } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isWaiting } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { useMe } from '../../session'
import { useLive } from '../../shell/live-context'
import { ErpLine } from './erp-line'
import classes from './floor.module.css'
import { useFloor } from './floor-context'
import { Shortcuts } from './shortcuts'
import { useActText } from './use-act-text'
import { useKeys, useNow } from './use-floor'

/** Always in sight: the connection, what waits to be sent, what can be taken back, and what the ERP did with my bookings. */
export function StatusLine() {
  const { t } = useTranslation()
  const live = useLive()
  const { acts } = useActs()
  const [help, setHelp] = useState(false)
  const waiting = acts.filter(isWaiting)
  // The stream may not know yet what an act has found out.
  const lost = live === 'lost' || waiting.some(act => act.unheard)
  const refused = acts.filter(act => !isWaiting(act))
  const { open } = useFloor()
  useKeys({ '?': () => setHelp(true) })
  const first = refused[0]?.request.jobId
  return (
    <section className={classes.line} aria-label={t('floor.statusLine')}>
      <Group gap={6} wrap="nowrap" role="status" flex="none">
        {lost ? (
          <IconPlugConnectedX size={20} color="var(--mantine-color-red-text)" aria-hidden />
        ) : (
          <IconPlugConnected size={20} color="var(--mantine-color-green-text)" aria-hidden />
        )}
        <Text size="sm" fw={600} visibleFrom="sm">
          {lost ? t('shell.lost') : live === 'live' ? t('shell.live') : t('shell.connecting')}
        </Text>
        {waiting.length > 0 ? (
          <Badge color="orange" size="lg" variant="dot" tt="none">
            {t('floor.toSend', { count: waiting.length })}
          </Badge>
        ) : null}
      </Group>
      {refused.length > 0 ? (
        <Button size="sm" color="red" variant="light" disabled={!first} onClick={() => first && open(first)}>
          {t('floor.refusedCount', { count: refused.length })}
        </Button>
      ) : null}
      <Undo />
      <Restart />
      <ErpLine />
      <ActionIcon
        variant="default"
        size={44}
        onClick={() => setHelp(true)}
        aria-label={t('floor.shortcuts')}
        aria-keyshortcuts="?"
        visibleFrom="sm"
      >
        <IconQuestionMark size={20} />
      </ActionIcon>
      <Shortcuts opened={help} close={() => setHelp(false)} />
    </section>
  )
}

function Undo() {
  const { undo, acts } = useActs()
  // While something newer waits, "done" beside it would be read as if it were about that.
  return undo && !acts.some(isWaiting) ? <UndoNow key={undo.key} /> : null
}

/** After a completion was taken back: the clock does not run by itself again. */
function Restart() {
  const { t } = useTranslation()
  const { stopped, acts } = useActs()
  const { employeeId } = useMe()
  const { act } = useFloor()
  if (!stopped || employeeId === null || acts.some(one => one.request.jobId === stopped.jobId && isWaiting(one))) return null
  return (
    <Group gap={8} wrap="nowrap" miw={0} data-now>
      <Button
        flex="none"
        color="green"
        leftSection={<IconPlayerPlayFilled size={20} />}
        aria-label={t('floor.restartJob', { job: stopped.about })}
        onClick={() => act({ kind: 'start', jobId: stopped.jobId, body: {} }, stopped.about)}
      >
        {t('floor.restart')}
      </Button>
      <Text size="sm" role="status" lineClamp={2}>
        {t('floor.stopped', { job: stopped.about })}
      </Text>
    </Group>
  )
}

function UndoNow() {
  const { t } = useTranslation()
  const { undo, takeBack } = useActs()
  const { toScan } = useFloor()
  const textOf = useActText()
  const now = useNow()
  if (!undo) return null
  return (
    <Group gap={8} wrap="nowrap" miw={0} data-now>
      <Button
        size="md"
        flex="none"
        leftSection={<IconArrowBackUp size={20} />}
        onClick={() => {
          takeBack()
          toScan()
        }}
      >
        {t('floor.undo', { count: Math.max(1, Math.ceil((undo.until - now) / 1_000)) })}
      </Button>
      <Text size="sm" role="status" truncate visibleFrom="sm">
        {t('floor.done', { act: textOf(undo.of) })}
      </Text>
    </Group>
  )
}
