import { useEffect, useRef, useState } from 'react'
import { api } from '../../api/client'
import type { Job } from '../../parts/acts'
import { isWaiting } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { useMe } from '../../session'
import { useLive } from '../../shell/live-context'
import { aboutJob, useFloor } from './floor-context'

/** While nothing is heard live, what stands on the screen is asked now and then. */
export const useAskAgain = (): number => (useLive() === 'live' ? 60_000 : 10_000)

export function useToday() {
  const { employeeId } = useMe()
  const refetchInterval = useAskAgain()
  return api.useQuery('get', '/api/v1/hours/today', {}, { enabled: employeeId !== null, refetchInterval })
}

/** Whether anything can be booked on it. */
export const isOpen = (job: Job): boolean => ['released', 'started', 'paused'].includes(job.status)

/** Start or pause of one job for the person who is signed in, and whether that is on its way. */
export function useClock(job: Job | undefined) {
  const { act } = useFloor()
  const { employeeId } = useMe()
  const { acts } = useActs()
  const running = job?.running.some(one => one.employeeId === employeeId) ?? false
  const moving = acts.find(
    one => job !== undefined && one.request.jobId === job.id && isWaiting(one) && ['start', 'pause', 'complete'].includes(one.request.kind)
  )
  const open = job !== undefined && isOpen(job)
  const toggle = () => {
    if (!job || moving || !open || employeeId === null) return
    act({ kind: running ? 'pause' : 'start', jobId: job.id, body: {} }, aboutJob(job))
  }
  return { running, moving, open, toggle }
}

/** Milliseconds now, each second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return now
}

/** Where a key is no text: nowhere in particular, or the scan box while it is empty. */
function isFree(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return true
  if (target.matches('[data-scan]')) return (target as HTMLInputElement).value === ''
  return target === document.body || target.id === 'main'
}

/** Single keys of the floor; they never take a key from a field, a button or a dialog. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      const run = latest.current[event.key]
      if (!run || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return
      if (!isFree(event.target) || document.querySelector('[role=dialog]')) return
      event.preventDefault()
      run()
    }
    window.addEventListener('keydown', down)
    return () => window.removeEventListener('keydown', down)
  }, [])
}
