import { execFile } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Bench, median } from './figures.ts'

const columns = [
  ...['Order', 'Department', 'Article', 'Description', 'Quantity', 'Unit', 'Due', 'Priority', 'Status', 'Changed'],
  ...['Operation', 'Sequence', 'OperationDepartment', 'OperationDescription', 'RunSeconds']
]

/** Operations of work orders, about 140 bytes a row, without quotes: the only kind of file that the limit reads rightly. */
function writeOperations(file: string, fileBytes: number): number {
  const handle = openSync(file, 'w')
  let rows = 0
  let written = writeSync(handle, `${columns.join(',')}\n`)
  while (written < fileBytes) {
    let text = ''
    for (let n = 0; n < 1_000; n++, rows++) {
      const order = Math.floor(rows / 10)
      const operation = (rows % 10) + 1
      text += `WO-${100_000 + order},ZAGEN,A-${1_000 + (order % 500)},Frame type ${order % 50},${(order % 400) + 1}.500000,PCE,2027-03-${10 + (order % 18)},`
      text += `${order % 100},released,2026-11-24 08:00:00,${operation * 10},${operation * 10},LASSEN,Weld seam ${operation} of the frame,${operation * 60}\n`
    }
    written += writeSync(handle, text)
  }
  closeSync(handle)
  return rows
}

interface Read {
  readonly rows: number
  readonly characters: number
  readonly ms: number
  readonly peakMb: number
}

async function read(which: 'ours' | 'limit', file: string): Promise<Read> {
  const child = join(import.meta.dirname, 'reader-child.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [child, which, file], { timeout: 120_000 })
  return JSON.parse(stdout) as Read
}

export const bench: Bench = {
  name: 'readers',
  goals: ['G3'],
  async run(t, _say, { short }) {
    const rounds = short ? 3 : 7
    const dir = mkdtempSync(join(tmpdir(), 'wv-bench-readers-'))
    t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
    const file = join(dir, 'operations.csv')
    const rows = writeOperations(file, short ? 10_000_000 : 50_000_000)
    const megabytes = statSync(file).size / 1e6
    const ours: Read[] = []
    const limit: Read[] = []
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? (['ours', 'limit'] as const) : (['limit', 'ours'] as const)
      for (const which of order) (which === 'ours' ? ours : limit).push(await read(which, file))
    }
    for (const one of [...ours, ...limit]) {
      if (one.rows !== rows || one.characters !== ours[0]?.characters)
        throw new Error(`a reader saw ${one.rows} rows of ${rows}, or other cells`)
    }
    const speed = (reads: readonly Read[]): string => `${(megabytes / (median(reads.map(({ ms }) => ms)) / 1_000)).toFixed(0)} MB/s`
    return [
      {
        name: 'G3 CSV reader, of a naive split',
        unit: 'x',
        values: ours.map(({ ms }, i) => (limit[i]?.ms ?? 0) / ms),
        goal: 0.6,
        moonshot: 0.9,
        atLeast: true,
        note: `${speed(ours)} against ${speed(limit)}`
      },
      { name: 'G3 CSV reader, peak memory', unit: 'MB', values: ours.map(({ peakMb }) => peakMb), goal: 100 }
    ]
  }
}
