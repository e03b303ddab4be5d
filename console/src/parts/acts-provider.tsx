import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { api } from '../api/client'
import { type Act, type ActRequest, type Acts, createActs, isWaiting } from './acts'

/** What was just done and can be taken back for a moment. */
export interface UndoOffer {
  readonly key: string
  readonly of: Act
  readonly request: ActRequest
  /** Instant in milliseconds at which the offer ends. */
  readonly until: number
}

export const undoMs = 10_000

/** A completion was taken back: the job is paused, and the clock that ran on it stands still. */
export interface Stopped {
  readonly jobId: string
  readonly about: string
}

interface Floor {
  readonly acts: readonly Act[]
  readonly queue: Acts
  readonly undo: UndoOffer | undefined
  takeBack(): void
  readonly stopped: Stopped | undefined
}

const ActsContext = createContext<Floor | undefined>(undefined)

const touched = ['/api/v1/jobs', '/api/v1/work-orders', '/api/v1/hours', '/api/v1/floor', '/api/v1/pick-lists']

/** The queue of the person who is signed in; it goes on whatever screen is open. */
export function ActsProvider({ personId, children }: { personId: string; children: ReactNode }) {
  const queries = useQueryClient()
  const [undo, setUndo] = useState<UndoOffer>()
  const [stopped, setStopped] = useState<Stopped>()
  const queue = useMemo(() => {
    const readAgain = () =>
      void queries.invalidateQueries({
        predicate: ({ queryKey: [, path] }) => typeof path === 'string' && touched.some(start => path.startsWith(start))
      })
    return createActs(personId, {
      done(act, { job, reportId }) {
        if (job) {
          queries.setQueryData(api.queryOptions('get', '/api/v1/jobs/{jobId}', { params: { path: { jobId: job.id } } }).queryKey, job)
        }
        readAgain()
        const { request, about } = act
        setStopped(request.kind === 'undo' && request.completed ? { jobId: request.jobId, about } : undefined)
        const back = inverse(act, reportId)
        setUndo(back && { key: act.key, of: act, request: back, until: Date.now() + undoMs })
      },
      // What the person saw is no longer so: it is read again.
      refused: readAgain
    })
  }, [personId, queries])

  useEffect(() => {
    const stop = queue.start()
    window.addEventListener('online', queue.nudge)
    return () => {
      stop()
      window.removeEventListener('online', queue.nudge)
    }
  }, [queue])

  const acts = useSyncExternalStore(queue.subscribe, queue.snapshot)
  const waiting = acts.some(isWaiting)
  useEffect(() => {
    if (!waiting) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [waiting])

  useEffect(() => {
    if (!undo) return
    const timer = setTimeout(() => setUndo(undefined), Math.max(0, undo.until - Date.now()))
    return () => clearTimeout(timer)
  }, [undo])

  const takeBack = useCallback(() => {
    if (!undo) return
    setUndo(undefined)
    queue.add(undo.request, undo.of.about)
  }, [undo, queue])

  const floor = useMemo(() => ({ acts, queue, undo, takeBack, stopped }), [acts, queue, undo, takeBack, stopped])
  return <ActsContext value={floor}>{children}</ActsContext>
}

/** The act that takes this one back, where there is one. */
function inverse({ request }: Act, reportId: string | undefined): ActRequest | undefined {
  switch (request.kind) {
    case 'start':
      return { kind: 'pause', jobId: request.jobId, body: request.body.employeeIds ? { employeeIds: request.body.employeeIds } : {} }
    case 'report':
    case 'complete':
      return reportId ? { kind: 'undo', jobId: request.jobId, reportId, completed: request.kind === 'complete' } : undefined
    case 'consume':
      return { kind: 'return', jobId: request.jobId, body: request.body }
    default:
      return undefined
  }
}

export function useActs(): Floor {
  const floor = useContext(ActsContext)
  if (!floor) throw new Error('outside of ActsProvider')
  return floor
}
