import type { Operation } from '../../test/helpers/api.ts'
import type { Tally } from './tally.ts'

/** Routes that cannot answer well here, each with the reason. */
export const unreachable: Readonly<Record<string, string>> = {}

/** What an act must have been taken in; of every other route one answer is enough. */
export const wellIn: Readonly<Record<string, readonly string[]>> = {
  startJob: ['released', 'started', 'paused'],
  resumeJob: ['paused'],
  pauseJob: ['started'],
  reportJob: ['released', 'started', 'paused'],
  completeJob: ['released', 'started', 'paused'],
  reopenJob: ['completed'],
  consumeMaterial: ['released', 'started', 'paused', 'completed'],
  returnMaterial: ['released', 'started', 'paused', 'completed'],
  correctReport: ['report'],
  undoReport: ['report'],
  activateConnection: ['draft'],
  pauseConnection: ['active'],
  resumeConnection: ['paused'],
  replayReject: ['open'],
  skipReject: ['open'],
  editReject: ['open'],
  tryReject: ['open'],
  addTranslation: ['open'],
  replayDelivery: ['done', 'done_with_rejects'],
  decideClosing: ['held'],
  retryFeedback: ['rejected'],
  decideFeedback: ['rejected', 'delivered'],
  acceptOrderChange: ['held'],
  refuseOrderChange: ['held'],
  pickLine: ['open', 'picking'],
  shortPickLine: ['open', 'picking']
}

interface Way {
  readonly from: string
  readonly by: readonly string[]
}
/** First part of the address -> state -> how a thing comes into it, for what chance did not reach. */
const ways: Readonly<Record<string, Readonly<Record<string, Way>>>> = {
  jobs: {
    started: { from: 'released', by: ['startJob'] },
    paused: { from: 'released', by: ['startJob', 'pauseJob'] },
    completed: { from: 'released', by: ['startJob', 'completeJob'] }
  },
  connections: {
    draft: { from: 'draft', by: ['setKinds'] },
    active: { from: 'draft', by: ['setKinds', 'activateConnection'] },
    paused: { from: 'active', by: ['pauseConnection'] }
  }
}
export const wayTo = ({ operation, state = '' }: Lack): Way | undefined => ways[operation.path.split('/')[3] ?? '']?.[state]

/** What was not reached: routes that never answered well, and states in which an act never was taken. */
export interface Lack {
  readonly operation: Operation
  readonly state: string | undefined
}
export const saidOf = ({ operation, state }: Lack): string =>
  state === undefined
    ? `${operation.method} ${operation.path} never answered well`
    : `${operation.operationId} was never taken in the state "${state}"`

export function lacking(tally: Tally): Lack[] {
  return [...tally.routes.values()].flatMap(({ operation, well, wellIn: reached }): Lack[] => {
    const name = operation.operationId ?? ''
    if (unreachable[name] !== undefined) return []
    const states = wellIn[name]
    if (states) return states.filter(state => !reached.has(state)).map(state => ({ operation, state }))
    return well === 0 ? [{ operation, state: undefined }] : []
  })
}
