/** What two sides say of the same things, by name. */
export type Facts = ReadonlyMap<string, string>

/** Says what differs, at most a handful of each kind. @returns how many things differ */
export function compare(what: string, ours: Facts, theirs: Facts, say: (line: string) => void): number {
  const lacking = [...theirs.keys()].filter(name => !ours.has(name))
  const extra = [...ours.keys()].filter(name => !theirs.has(name))
  const unequal = [...theirs].flatMap(([name, fact]) => {
    const mine = ours.get(name)
    return mine === undefined || mine === fact ? [] : [`${name} is ${mine} here and ${fact} in the ERP`]
  })
  const told = (words: string, names: readonly string[]): void => {
    if (names.length === 0) return
    const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
    say(`  DIFFERS: ${what}: ${words}${names.slice(0, 5).join('; ')}${more}`)
  }
  told('not here: ', lacking)
  told('not in the ERP: ', extra)
  told('', unequal)
  return lacking.length + extra.length + unequal.length
}
