import { createContext, useContext } from 'react'
import type { ActRequest, Job } from '../../parts/acts'

/** What somebody typed in the report panel of one job and did not send yet. */
export interface Draft {
  /** As typed; absent: what the server proposes, less the scrap. */
  readonly good?: string
  readonly scrap: string
  readonly rework: string
  readonly scrapReason: string | null
  readonly shortfall: 'not_yet' | 'lost' | null
  readonly reason: string
}

export const emptyDraft: Draft = { scrap: '0', rework: '0', scrapReason: null, shortfall: null, reason: '' }

interface FloorFace {
  readonly jobId: string | undefined
  open(jobId: string): void
  /** Hands an act to the queue and gives the focus back to the scan box. */
  act(request: ActRequest, about: string): void
  toScan(): void
  /** A scanner was read while the focus was elsewhere. */
  scanned(text: string): void
  draftOf(jobId: string): Draft
  setDraft(jobId: string, draft: Draft | undefined): void
}

export const FloorContext = createContext<FloorFace | undefined>(undefined)

export function useFloor(): FloorFace {
  const floor = useContext(FloorContext)
  if (!floor) throw new Error('outside of the floor')
  return floor
}

export const aboutJob = (job: Pick<Job, 'orderNumber' | 'number'>): string => `${job.orderNumber} / ${job.number}`
