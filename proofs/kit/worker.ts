import { parentPort } from 'node:worker_threads'
import { checks, judge, type Verdict } from '../../adapters/kit/checks.ts'
import type { Effort, Subject } from '../../adapters/kit/erp.ts'
import { goodCsv, goodNeutral, goodRest, goodTryton, loneMutants } from '../../test/adapters/mutants/index.ts'

/** An adapter of this proof: a good one by name, or a mutant by its place in the table. */
export type Task = { readonly good: GoodName; readonly effort: Effort } | { readonly mutant: number; readonly effort: Effort }
export interface Done {
  readonly task: Task
  readonly verdicts: readonly Verdict[]
  readonly milliseconds: number
}

export const good = { csv: goodCsv, 'neutral-rest': goodNeutral, 'kit.rest': goodRest, tryton: goodTryton } as const satisfies Record<
  string,
  Subject
>
export type GoodName = keyof typeof good

/** Runs every check on one adapter. */
export async function judgeAll(task: Task): Promise<Done> {
  const begin = performance.now()
  const subject = 'good' in task ? good[task.good] : loneMutants[task.mutant]?.subject
  if (!subject) throw new Error(`there is no such adapter: ${JSON.stringify(task)}`)
  const tried: Subject = { ...subject, options: { ...subject.options, effort: task.effort } }
  const verdicts: Verdict[] = []
  for (const check of checks) verdicts.push(await judge(check, tried))
  return { task, verdicts, milliseconds: performance.now() - begin }
}

parentPort?.on('message', (task: Task) => {
  judgeAll(task).then(
    done => parentPort?.postMessage(done),
    (error: unknown) => {
      throw error
    }
  )
})
