import { type Ctx, type Journal, newId, type TxCtx } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { deleteGroup, holdGroups, insertGroup, lockGroup, rulesOf, setRules } from './group-store.ts'
import type { RuleKind } from './tables.ts'

export interface GroupRule {
  readonly kind: RuleKind
  readonly value: string
}

/** Every rule in its one form; those that would select nothing, or that PostgreSQL could not read, are refused. */
function shaped(rules: readonly GroupRule[]): GroupRule[] {
  return rules.map(({ kind, value }, index) => {
    if (kind === 'all') return { kind, value: '' }
    const problem =
      value === '' ? 'needs a value' : kind === 'order_pattern' && value.includes('\\') ? 'may not hold a backslash' : undefined
    if (problem) {
      throw refuse('group_rule_invalid', `Rule ${index + 1} (${kind}) ${problem}.`, {
        errors: [{ pointer: `/rules/${index}/value`, detail: problem }]
      })
    }
    return { kind, value }
  })
}

const text = (rule: GroupRule): string => `${rule.kind} ${rule.value}`.trim()

/** Nobody gives jobs that they do not have: otherwise whoever manages groups would have every job. */
export function mayCover(c: Ctx | TxCtx, rules: readonly GroupRule[]): void {
  const { scope } = c.grant
  if (scope.all) return
  const own: Readonly<Record<RuleKind, readonly string[]>> = {
    all: [],
    department: scope.departments,
    work_centre: scope.workCentres,
    order: scope.orders,
    order_pattern: scope.orderPatterns
  }
  const beyond = rules.find(rule => !own[rule.kind].includes(rule.value))
  if (beyond) throw refuse('jobs_not_held', `None of your own groups has the rule "${text(beyond)}", so you cannot give or take it.`)
}

/** Groups that somebody is given or loses: all known, and no jobs in them that the giver does not have. */
export async function mayPlace(tx: TxCtx, groupIds: readonly string[]): Promise<void> {
  const known = new Set((await holdGroups(tx, groupIds)).map(group => group.id))
  if (groupIds.some(id => !known.has(id))) throw refuse('group_unknown', 'One of the operational groups does not exist.')
  mayCover(tx, await rulesOf(tx, groupIds))
}

/** For which jobs: by department code, work centre, order number or a pattern of it, or all. */
export async function createGroup(tx: TxCtx, journal: Journal, wanted: { name: string; rules: readonly GroupRule[] }): Promise<string> {
  const id = newId()
  const rules = shaped(wanted.rules)
  mayCover(tx, rules)
  if (!(await insertGroup(tx, { id, name: wanted.name }))) throw refuse('group_exists', `There is a group called "${wanted.name}" already.`)
  await setRules(tx, id, rules)
  await journal.append(tx, { act: 'group.create', subject: 'authz.operational_group', subjectId: id, data: { rules: rules.map(text) } })
  return id
}

/** Sets all rules of a group; what is new and what goes must both be the caller's to give. */
export async function changeGroup(
  tx: TxCtx,
  journal: Journal,
  wanted: { id: string; version: number; rules: readonly GroupRule[] }
): Promise<void> {
  const before = await locked(tx, wanted.id, wanted.version)
  const rules = shaped(wanted.rules)
  const lacks = (list: readonly GroupRule[], rule: GroupRule): boolean => !list.some(other => text(other) === text(rule))
  mayCover(tx, [...rules.filter(rule => lacks(before, rule)), ...before.filter(rule => lacks(rules, rule))])
  await setRules(tx, wanted.id, rules)
  await journal.append(tx, {
    act: 'group.change',
    subject: 'authz.operational_group',
    subjectId: wanted.id,
    data: { rules: rules.map(text), before: before.map(text) }
  })
}

/** Its members lose the jobs that no other group gives them. */
export async function removeGroup(tx: TxCtx, journal: Journal, wanted: { id: string; version: number }): Promise<void> {
  const before = await locked(tx, wanted.id, wanted.version)
  mayCover(tx, before)
  await deleteGroup(tx, wanted.id)
  await journal.append(tx, {
    act: 'group.remove',
    subject: 'authz.operational_group',
    subjectId: wanted.id,
    data: { before: before.map(text) }
  })
}

async function locked(tx: TxCtx, id: string, version: number): Promise<readonly GroupRule[]> {
  const group = await lockGroup(tx, id)
  if (!group) throw refuse('group_missing', 'There is no such group.')
  if (group.version !== version) throw refuse('group_changed', `The group has version ${group.version} now, not ${version}.`)
  return rulesOf(tx, [id])
}
