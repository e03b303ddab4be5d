import { SegmentedControl, Skeleton, Stack } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconClipboardCheck, IconSearch } from '@tabler/icons-react'
import { type Ref, useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, client, isProblem } from '../../api/client'
import type { Job } from '../../parts/acts'
import { More } from '../../parts/more'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import classes from './floor.module.css'
import { useFloor } from './floor-context'
import { JobRow } from './job-row'
import { ScanBox, type ScanBoxFace } from './scan-box'
import { useAskAgain } from './use-floor'

const statuses = ['all', 'released', 'started', 'paused'] as const
type Status = (typeof statuses)[number]

/** The jobs that the person may work on, most urgent first, with the scan box above them. */
export function JobList({ scan }: { scan: Ref<ScanBoxFace> }) {
  const { t } = useTranslation()
  const { jobId, open } = useFloor()
  const [typed, setTyped] = useState('')
  /** What a scan found several of; typing on makes it a search again. */
  const [several, setSeveral] = useState<string | null>(null)
  const [message, setMessage] = useState<string | null>(null)
  const [status, setStatus] = useState<Status>('all')
  const [search] = useDebouncedValue(typed.trim().slice(0, 80), 300)
  const refetchInterval = useAskAgain()
  const filter = typed !== '' && several === typed ? { scan: several } : search !== '' && typed !== '' ? { search } : {}
  const query = { limit: 50, ...filter, ...(status === 'all' ? {} : { status }) }
  const jobs = api.useInfiniteQuery(
    'get',
    '/api/v1/jobs',
    { params: { query } },
    {
      pageParamName: 'after',
      initialPageParam: null,
      getNextPageParam: page => page.next ?? undefined,
      placeholderData: before => before,
      refetchInterval
    }
  )
  // Who may no longer read jobs sees none of those read before.
  const refused = isProblem(jobs.error) && jobs.error.status === 403
  const rows = refused ? [] : (jobs.data?.pages.flatMap(page => page.items) ?? [])

  const enter = useCallback(
    async (text: string) => {
      setMessage(null)
      // The box is free for the next scan while this one is looked up.
      setTyped('')
      const found = await lookUp(text, rows)
      const [first, ...others] = found ?? []
      if (first && others.length === 0) {
        open(first.id)
        return
      }
      setStatus('all')
      if (first) {
        setSeveral(text)
        setTyped(typed => (typed === '' ? text : typed))
      }
      setMessage(
        first
          ? t('floor.severalFound', { count: found?.length ?? 0, text })
          : found
            ? t('floor.noneFound', { text })
            : t('floor.scanUnreachable', { text })
      )
    },
    [rows, open, t]
  )

  return (
    <>
      <Stack className={classes.head ?? ''} gap={8}>
        <ScanBox
          ref={scan}
          value={typed}
          change={text => {
            setTyped(text)
            setMessage(null)
          }}
          enter={text => void enter(text)}
          message={message}
        />
        <SegmentedControl
          fullWidth
          aria-label={t('floor.filter')}
          value={status}
          onChange={value => setStatus(value as Status)}
          data={statuses.map(value => ({ value, label: t(`floor.filter.${value}`) }))}
        />
      </Stack>
      <div className={`${classes.body} ${classes.list}`}>
        {jobs.isError && rows.length === 0 ? <ProblemNote error={jobs.error} retry={jobs.refetch} /> : null}
        {jobs.isPending ? (
          <Stack p="sm" gap="sm">
            {[1, 2, 3, 4, 5].map(row => (
              <Skeleton key={row} height={72} />
            ))}
          </Stack>
        ) : null}
        {rows.map(job => (
          <JobRow key={job.id} job={job} opened={job.id === jobId} />
        ))}
        {jobs.isSuccess && rows.length === 0 ? (
          typed !== '' || status !== 'all' ? (
            <Empty icon={IconSearch} title={t('floor.none')}>
              {t('floor.noneText')}
            </Empty>
          ) : (
            <Empty icon={IconClipboardCheck} title={t('floor.empty')}>
              {t('floor.emptyText')}
            </Empty>
          )
        ) : null}
        <More query={jobs} />
      </div>
    </>
  )
}

/** The jobs that a label or a typed number stands for; without a server, among those on the screen. @returns undefined: not known */
async function lookUp(text: string, rows: readonly Job[]): Promise<readonly Job[] | undefined> {
  try {
    const { data } = await client.GET('/api/v1/jobs', { params: { query: { scan: text.slice(0, 80), limit: 20 } } })
    if (data && data.items.length > 0) return data.items
    const found = data && (await client.GET('/api/v1/jobs', { params: { query: { search: text.slice(0, 80), limit: 20 } } }))
    return found?.data?.items
  } catch {
    const near = rows.filter(
      job => text === job.orderNumber || (text.startsWith(job.orderNumber) && text.slice(job.orderNumber.length + 1) === job.number)
    )
    return near.length > 0 ? near : undefined
  }
}
