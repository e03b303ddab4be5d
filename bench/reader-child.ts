import { createReadStream } from 'node:fs'
import { batchesOf } from '../adapters/contract/batches.ts'
import { csvRows } from '../adapters/contract/csv.ts'
import { decodeLines } from '../adapters/contract/lines.ts'
import { peakMegabytes } from './memory.ts'

/**
 * node bench/reader-child.ts ours|limit file
 *
 * Reads a CSV file to its end in a process of its own, so that the peak of memory is its own, and prints what it cost as JSON: time of a
 * processor, which others on the machine change less than the clock.
 */
const [, , which = '', file = ''] = process.argv
const piece = 65_536

interface Count {
  rows: number
  characters: number
}

/** As an adapter reads a delivery: strict decoding, quotes, ragged rows, columns by name. */
async function ours(count: Count): Promise<void> {
  const rows = csvRows(decodeLines(createReadStream(file, { highWaterMark: piece })), { delimiter: ',' })
  for await (const batch of batchesOf(rows)) {
    for (const { row } of batch) {
      count.rows++
      count.characters += row?.Quantity?.length ?? 0
    }
  }
}

/** The least that can be called reading: lines and commas, wrong as soon as a cell is quoted. */
async function limit(count: Count): Promise<void> {
  let rest = ''
  let column = -1
  for await (const chunk of createReadStream(file, { highWaterMark: piece, encoding: 'utf8' })) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const cells = line.split(',')
      if (column < 0) {
        column = cells.indexOf('Quantity')
        continue
      }
      count.rows++
      count.characters += cells[column]?.length ?? 0
    }
  }
}

const count: Count = { rows: 0, characters: 0 }
const began = process.cpuUsage()
await (which === 'ours' ? ours : limit)(count)
const { user, system } = process.cpuUsage(began)
const ms = (user + system) / 1_000
process.stdout.write(JSON.stringify({ ...count, ms, peakMb: peakMegabytes() }))
