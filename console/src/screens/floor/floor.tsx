import { SegmentedControl, VisuallyHidden } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import { useCallback, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { useActs } from '../../parts/acts-provider'
import classes from './floor.module.css'
import { type Draft, emptyDraft, FloorContext } from './floor-context'
import { JobList } from './job-list'
import { JobZone } from './job-zone'
import { Running } from './running'
import type { ScanBoxFace } from './scan-box'
import { StatusLine } from './status-line'

type Zone = 'running' | 'list' | 'job'

/** What runs, what is to be done, and the job in hand; on a small screen one at a time. */
export function Floor() {
  const { t } = useTranslation()
  const { jobId } = useParams()
  const navigate = useNavigate()
  const { queue } = useActs()
  const [zone, setZone] = useState<Zone>(jobId ? 'job' : 'list')
  const [drafts, setDrafts] = useState<Readonly<Record<string, Draft>>>({})
  const scan = useRef<ScanBoxFace>(null)
  useDocumentTitle(`${t('nav.floor')} · Werkvloer`)

  const toScan = useCallback(() => {
    const busy = document.activeElement?.matches('[data-keep-focus] input, [data-keep-focus] textarea') ?? false
    if (!busy) scan.current?.focus()
  }, [])
  const face = useMemo(
    () => ({
      jobId,
      open(id: string) {
        setZone('job')
        if (id !== jobId) navigate(`/floor/${id}`, { replace: jobId !== undefined })
        toScan()
      },
      act(...given: Parameters<typeof queue.add>) {
        queue.add(...given)
        toScan()
      },
      toScan,
      scanned: (text: string) => scan.current?.take(text),
      draftOf: (id: string) => drafts[id] ?? emptyDraft,
      setDraft: (id: string, draft: Draft | undefined) =>
        setDrafts(({ [id]: _, ...others }) => (draft === undefined ? others : { ...others, [id]: draft }))
    }),
    [jobId, navigate, queue, toScan, drafts]
  )

  return (
    <FloorContext value={face}>
      <VisuallyHidden component="h1">{t('nav.floor')}</VisuallyHidden>
      <div className={classes.floor}>
        <section className={classes.zone} aria-label={t('floor.running')} data-shown={zone === 'running' || undefined}>
          <Running />
        </section>
        <section className={classes.zone} aria-label={t('floor.list')} data-shown={zone === 'list' || undefined}>
          <JobList scan={scan} />
        </section>
        <section className={classes.zone} aria-label={t('floor.job')} data-shown={zone === 'job' || undefined}>
          <JobZone key={jobId} />
        </section>
        <SegmentedControl
          className={classes.switch ?? ''}
          fullWidth
          size="lg"
          mt={8}
          value={zone}
          onChange={value => setZone(value as Zone)}
          aria-label={t('floor.zones')}
          data={[
            { value: 'running', label: t('floor.runningShort') },
            { value: 'list', label: t('floor.list') },
            { value: 'job', label: t('floor.job') }
          ]}
        />
        <StatusLine />
      </div>
    </FloorContext>
  )
}
