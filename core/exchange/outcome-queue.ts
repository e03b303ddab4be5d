import { applySteps, type ExportRun, leased, type Step } from './export-run.ts'

/** What became of messages, on its way into the database. */
export interface OutcomeQueue {
  push(step: Step): void
  /** Nothing can be stored any more: whoever is sending should end. */
  readonly failed: boolean
  /** @throws what kept an outcome from being stored */
  settled(): Promise<void>
}

const mostAtOnce = 500

/**
 * Stores each outcome at once when it comes, one transaction at a time: what comes meanwhile, from all batches of the connection that are
 * under way, gathers and is stored together.
 */
export function outcomeQueue(run: ExportRun): OutcomeQueue {
  const pending: Step[] = []
  let storing: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined

  async function store(): Promise<void> {
    try {
      while (pending.length > 0) {
        const steps = pending.splice(0, mostAtOnce)
        await leased(run, tx => applySteps(run, tx, steps))
      }
    } catch (error) {
      failure = { error }
    }
    storing = undefined
  }

  return {
    push(step) {
      pending.push(step)
      if (failure === undefined) storing ??= store()
    },
    get failed() {
      return failure !== undefined
    },
    async settled() {
      while (storing !== undefined) await storing
      if (failure !== undefined) throw failure.error
    }
  }
}
