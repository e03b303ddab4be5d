/** The demo factory: invented departments, articles, places and people. Numbers are made from a seed, so every run is the same. */

export interface DemoOrder {
  readonly number: string
  readonly article: string
  readonly description: string
  readonly quantity: number
  readonly due: string
  readonly priority: number
  readonly operations: readonly {
    readonly number: string
    readonly department: string
    readonly description: string
    readonly setup: number
    readonly run: number
  }[]
  readonly materials: readonly { readonly line: string; readonly operation: string; readonly article: string; readonly quantity: number }[]
  /** What is wrong with it on purpose; such an order must end in the error bin. */
  readonly fault?: 'quantity' | 'department' | 'date' | 'status'
}

export const departments = ['ZAGEN', 'FREZEN', 'LASSEN', 'MONTAGE'] as const

export const scrapReasons = [
  ['MAAT', 'Maat fout'],
  ['KRAS', 'Kras of deuk'],
  ['LAS', 'Lasfout'],
  ['MATERIAAL', 'Materiaalfout']
] as const

export const otherWork = [
  ['SCHOON', 'Schoonmaken'],
  ['OVERLEG', 'Overleg'],
  ['ONDERHOUD', 'Onderhoud machine']
] as const

export const articles = [
  ...Array.from({ length: 12 }, (_, i) => ({ number: `A-${1001 + i}`, description: `Frame type ${i + 1}`, unit: 'PCE' })),
  ...Array.from({ length: 6 }, (_, i) => ({ number: `M-${2001 + i}`, description: `Profile ${20 + 10 * i} mm`, unit: 'PCE' })),
  { number: 'M-3001', description: 'Welding wire', unit: 'KGM' },
  { number: 'M-3002', description: 'Paint', unit: 'LTR' }
] as const

export const locations = ['A-01', 'A-02', 'B-01', 'B-02', 'PROD'].map(code => ({ code, warehouse: 'MAIN', description: `Place ${code}` }))

/** Twelve people with a number and an invented name. */
export const employees = Array.from({ length: 12 }, (_, i) => ({
  number: String(1001 + i),
  name: `Medewerker ${String.fromCharCode(65 + i)}`,
  active: true
}))

const operationNames: Readonly<Record<(typeof departments)[number], string>> = {
  ZAGEN: 'Sawing to length',
  FREZEN: 'Milling',
  LASSEN: 'Welding',
  MONTAGE: 'Assembly'
}

/** A small generator of repeatable numbers (mulberry32). */
export function repeatable(seed: number): (most: number) => number {
  let state = seed
  return most => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % most
  }
}

/**
 * Orders of two or three operations each.
 * @param faults every how manieth order is wrong; 0 for none
 */
export function makeOrders(first: number, count: number, day: (offset: number) => string, faults = 0): readonly DemoOrder[] {
  const pick = repeatable(first)
  const kinds = ['quantity', 'department', 'date', 'status'] as const
  return Array.from({ length: count }, (_, i) => {
    const route = [departments[0], departments[1 + pick(2)], departments[3]].slice(0, 2 + pick(2)) as (typeof departments)[number][]
    const fault = faults > 0 && i % faults === faults - 1 ? kinds[Math.floor(i / faults) % kinds.length] : undefined
    return {
      number: `WO-${first + i}`,
      article: `A-${1001 + pick(12)}`,
      description: 'Frames for stock',
      quantity: 2 + pick(20),
      due: day(3 + pick(20)),
      priority: pick(5),
      operations: route.map((department, n) => ({
        number: String((n + 1) * 10),
        department,
        description: operationNames[department],
        setup: 300 + 60 * pick(10),
        run: 60 + 10 * pick(12)
      })),
      materials: [{ line: '1', operation: '10', article: `M-${2001 + pick(6)}`, quantity: 1 + pick(8) }],
      ...(fault === undefined ? {} : { fault })
    }
  })
}
