import { type Journal, newId, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { groupById, insertGroup, setRules } from './store.ts'
import type { RuleKind } from './tables.ts'

export interface GroupRule {
  readonly kind: RuleKind
  readonly value: string
}

const shaped = (rules: readonly GroupRule[]): GroupRule[] =>
  rules.map(rule => ({ kind: rule.kind, value: rule.kind === 'all' ? '' : rule.value }))

/** For which jobs: by department code, work centre, order number or a pattern of it, or all. */
export async function createGroup(tx: TxCtx, journal: Journal, wanted: { name: string; rules: readonly GroupRule[] }): Promise<string> {
  const id = newId()
  if (!(await insertGroup(tx, { id, name: wanted.name }))) throw refuse('group_exists', `There is a group called "${wanted.name}" already.`)
  await setRules(tx, id, shaped(wanted.rules))
  await journal.append(tx, {
    act: 'group.create',
    subject: 'authz.operational_group',
    subjectId: id,
    data: { rules: shaped(wanted.rules).map(r => `${r.kind} ${r.value}`) }
  })
  return id
}

export async function changeGroup(tx: TxCtx, journal: Journal, wanted: { id: string; rules: readonly GroupRule[] }): Promise<void> {
  if (!(await groupById(tx, wanted.id))) throw refuse('group_unknown', 'There is no such group.')
  await setRules(tx, wanted.id, shaped(wanted.rules))
  await journal.append(tx, {
    act: 'group.change',
    subject: 'authz.operational_group',
    subjectId: wanted.id,
    data: { rules: shaped(wanted.rules).map(r => `${r.kind} ${r.value}`) }
  })
}
