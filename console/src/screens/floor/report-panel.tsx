import { Alert, Button, Chip, Group, Stack, Text, TextInput } from '@mantine/core'
import { type FormEvent, useLayoutEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { readQuantity, useFormat } from '../../format'
import { isWaiting, type Job } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { add, atLeastZero, compare, isZero, subtract } from '../../parts/quantity'
import { useMay, useMe } from '../../session'
import classes from './floor.module.css'
import { aboutJob, useFloor } from './floor-context'
import { QuantityField } from './quantity-field'
import { Shortfall } from './shortfall'
import { useKeys } from './use-floor'

/** Good, scrap with its reason and rework in one act. What is missing at completion is asked, never guessed. */
export function ReportPanel({ job }: { job: Job }) {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const { employeeId } = useMe()
  const { act, draftOf, setDraft, toScan } = useFloor()
  const { acts } = useActs()
  const form = useRef<HTMLFormElement>(null)
  const goodField = useRef<HTMLInputElement>(null)
  const scrapField = useRef<HTMLInputElement>(null)
  // An object of its own for each time that something is asked: asked twice, the focus goes there twice.
  const [ask, setAsk] = useState<{ readonly what: 'scrapReason' | 'shortfall' | 'reason' } | null>(null)
  const asked = ask?.what ?? null
  const [withRework, setWithRework] = useState(false)
  const reasons = api.useQuery('get', '/api/v1/scrap-reasons', {}, { staleTime: 300_000 })
  const setting = api.useQuery('get', '/api/v1/settings/workorders', {}, { enabled: may('orders.read'), staleTime: 300_000 })
  // Where the answer is given, also for who has no pointer: together with the question, so that no key goes to where the focus was.
  // biome-ignore lint/correctness/useExhaustiveDependencies: reasons that come later are the answers that the focus waits for
  useLayoutEffect(() => {
    if (ask) form.current?.querySelector<HTMLElement>('[data-asked] input, [data-asked] button')?.focus()
  }, [ask, reasons.data])

  const draft = draftOf(job.id)
  const typed = (text: string) => text.replace('.', format.decimal)
  const scrap = readQuantity(draft.scrap)
  const rework = readQuantity(draft.rework)
  // As long as nobody touched it: what is still to come, less what is scrap.
  const proposed = atLeastZero(subtract(job.proposedQuantity, scrap ?? '0'))
  const good = draft.good === undefined ? proposed : readQuantity(draft.good)
  const change = (to: Partial<typeof draft>) => {
    setAsk(null)
    setDraft(job.id, { ...draft, ...to })
  }
  useKeys({ '+': () => goodField.current?.focus(), '-': () => scrapField.current?.focus() })

  const sum = add(good ?? '0', scrap ?? '0')
  const missing = subtract(job.missingQuantity, sum)
  const short = compare(missing, '0') > 0
  const over = good !== undefined && compare(add(job.good, good), job.plannedQuantity) > 0
  const valid = good !== undefined && scrap !== undefined && rework !== undefined
  const nothing = valid && isZero(sum) && isZero(rework)
  const sending = acts.some(
    one => one.request.jobId === job.id && isWaiting(one) && (one.request.kind === 'report' || one.request.kind === 'complete')
  )

  function send(kind: 'report' | 'complete'): void {
    if (!valid || sending) return
    const open =
      !isZero(scrap) && draft.scrapReason === null
        ? 'scrapReason'
        : over && setting.data?.overReport === 'warn' && draft.reason.trim() === ''
          ? 'reason'
          : kind === 'complete' && short && draft.shortfall === null
            ? 'shortfall'
            : null
    setAsk(open && { what: open })
    if (open) return
    const amounts = {
      ...(isZero(good) ? {} : { good }),
      ...(isZero(scrap) ? {} : { scrap, ...(draft.scrapReason === null ? {} : { scrapReason: draft.scrapReason }) }),
      ...(isZero(rework) ? {} : { rework }),
      ...(over && draft.reason.trim() !== '' ? { reason: draft.reason.trim() } : {}),
      ...(employeeId === null ? {} : { employeeId })
    }
    setDraft(job.id, undefined)
    setWithRework(false)
    form.current?.closest('[data-scroll]')?.scrollTo({ top: 0 })
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    if (kind === 'report') act({ kind, jobId: job.id, body: amounts }, aboutJob(job))
    else
      act({ kind, jobId: job.id, body: { ...amounts, ...(short && draft.shortfall ? { shortfall: draft.shortfall } : {}) } }, aboutJob(job))
  }

  const main = may('jobs.complete') ? 'complete' : 'report'
  const mainText = !short || draft.shortfall === null ? t('floor.complete') : t(`floor.complete.${draft.shortfall}`)
  return (
    <form
      ref={form}
      data-keep-focus
      aria-label={t('floor.report')}
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        send(main)
      }}
      onKeyDown={event => {
        if (event.key === 'Enter' && event.ctrlKey && !nothing) {
          event.preventDefault()
          send('report')
        }
        if (event.key !== 'Escape') return
        event.preventDefault()
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
        toScan()
      }}
    >
      <Stack gap="sm">
        <QuantityField
          ref={goodField}
          label={t('quantity.good')}
          unit={job.unit}
          value={draft.good ?? typed(proposed)}
          change={text => change({ good: text })}
        />
        <QuantityField
          ref={scrapField}
          label={t('quantity.scrap')}
          unit={job.unit}
          value={draft.scrap}
          change={text => change({ scrap: text })}
        />
        {withRework || draft.rework !== '0' ? (
          <QuantityField label={t('floor.rework')} unit={job.unit} value={draft.rework} change={text => change({ rework: text })} />
        ) : null}
        {scrap !== undefined && !isZero(scrap) ? (
          <fieldset className={classes.ask} data-asked={asked === 'scrapReason' || undefined}>
            <Text component="legend" fw={600} mb={4}>
              {t('floor.scrapReason')}
            </Text>
            <Chip.Group multiple={false} value={draft.scrapReason} onChange={code => change({ scrapReason: code })}>
              <Group gap={8}>
                {reasons.data?.items
                  .filter(reason => reason.active)
                  .map(reason => (
                    <Chip key={reason.code} value={reason.code} size="lg" classNames={{ label: classes.chip ?? '' }}>
                      {reason.name}
                    </Chip>
                  ))}
              </Group>
            </Chip.Group>
            {reasons.data?.items.length === 0 ? <Text size="sm">{t('floor.noReasons')}</Text> : null}
          </fieldset>
        ) : null}
        {over && setting.data ? (
          <Alert
            color="orange"
            data-asked={asked === 'reason' || undefined}
            title={t('floor.over', { planned: format.quantity(job.plannedQuantity), unit: job.unit })}
          >
            {setting.data.overReport === 'warn' ? (
              <TextInput
                size="md"
                label={t('floor.overReason')}
                value={draft.reason}
                error={asked === 'reason' ? t('floor.overAsk') : undefined}
                onChange={event => change({ reason: event.currentTarget.value })}
              />
            ) : (
              t(`floor.over.${setting.data.overReport}`)
            )}
          </Alert>
        ) : null}
        {short && may('jobs.complete') ? (
          <div className={classes.ask} data-asked={asked === 'shortfall' || undefined}>
            <Shortfall missing={missing} unit={job.unit} value={draft.shortfall} choose={shortfall => change({ shortfall })} />
          </div>
        ) : null}
        <Text role="alert" fw={600} c="var(--mantine-color-error)" hidden={asked === null}>
          {asked === 'scrapReason' ? t('floor.askScrapReason') : asked === 'shortfall' ? t('floor.askShortfall') : null}
        </Text>
        {may('jobs.complete') ? (
          <Button type="submit" size="xl" loading={sending}>
            {mainText}
          </Button>
        ) : null}
        <Group gap={8}>
          {may('jobs.report') ? (
            <Button
              size="lg"
              flex={1}
              miw="fit-content"
              px="xs"
              variant={main === 'report' ? 'filled' : 'default'}
              disabled={nothing || !valid}
              loading={sending}
              onClick={() => send('report')}
              aria-keyshortcuts="Control+Enter"
            >
              {t('floor.reportOnly')}
            </Button>
          ) : null}
          {withRework || draft.rework !== '0' ? null : (
            <Button size="lg" px="xs" variant="subtle" onClick={() => setWithRework(true)}>
              {t('floor.withRework')}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  )
}
