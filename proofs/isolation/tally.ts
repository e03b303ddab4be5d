/** Counts probes; one that found something of the other customer is a leak, and the first ones are told. */
export interface Tally {
  probe(clean: boolean, what: string): void
  /** Many at once, such as the rows of an answer. */
  checked(count: number, leaks: number, what: string): void
  readonly probes: number
  readonly leaks: number
}

export function newTally(say: (line: string) => void): Tally {
  let probes = 0
  let leaks = 0
  const checked = (count: number, found: number, what: string): void => {
    probes += count
    leaks += found
    if (found > 0 && leaks <= 20) say(`  LEAK: ${what}`)
  }
  return {
    probe: (clean, what) => checked(1, clean ? 0 : 1, what),
    checked,
    get probes() {
      return probes
    },
    get leaks() {
      return leaks
    }
  }
}
