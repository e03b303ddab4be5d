import { spawn } from 'node:child_process'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AdapterError } from '../adapters/contract/errors.ts'
import { xmlRecords } from '../adapters/contract/xml.ts'
import type { Bench, Figure } from './figures.ts'
import { peakMegabytes } from './memory.ts'
import { program } from './programs.ts'

const order = (n: number): string =>
  `<OperationsRequest><ID>WO-${n}</ID><Description>Bracket &amp; plate ${n}</Description><OperationsType>Production</OperationsType>${[
    10, 20, 30
  ]
    .map(
      operation => `<SegmentRequirement><ID>${operation}</ID><EarliestStartTime>2026-03-02T08:00:00Z</EarliestStartTime>
  <EquipmentRequirement><EquipmentClassID schemeName="plant">LASER-${n % 7}</EquipmentClassID></EquipmentRequirement>
  <MaterialRequirement><MaterialDefinitionID>RM-${n % 400}</MaterialDefinitionID><Quantity><QuantityString>${operation}.5</QuantityString>
    <UnitOfMeasure>KGM</UnitOfMeasure></Quantity></MaterialRequirement></SegmentRequirement>\n`
    )
    .join('')}</OperationsRequest>\n`

/** @returns how many orders it holds */
async function write(path: string, megabytes: number): Promise<number> {
  const file = await open(path, 'w')
  await file.write('<?xml version="1.0" encoding="UTF-8"?>\n<ProcessOperationsRequest xmlns="http://www.mesa.org/xml/B2MML"><DataArea>\n')
  let orders = 0
  for (let bytes = 0; bytes < megabytes * 1_000_000; ) {
    const text = Array.from({ length: 100 }, () => order(++orders)).join('')
    bytes += (await file.write(text)).bytesWritten
  }
  await file.write('</DataArea></ProcessOperationsRequest>\n')
  await file.close()
  return orders
}

const ran = (program: string, args: readonly string[]): Promise<{ seconds: number; out: string }> =>
  new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', data => {
      out += data
    })
    child.on('error', reject)
    child.on('close', code => {
      const seconds = (performance.now() - began) / 1000
      if (code === 0) resolve({ seconds, out })
      else reject(new Error(`${program} ended with ${code}: ${out}`))
    })
  })

interface Read {
  readonly seconds: number
  readonly records: number
  /** Megabytes above the process before it began to read. */
  readonly peak: number
}

/** In a process of its own, so that its memory is its own. */
async function readApart(path: string): Promise<Read> {
  return JSON.parse((await ran(process.execPath, [import.meta.filename, path])).out) as Read
}

async function* repeated(times: number, text: string, before = '<a>', after = '</a>'): AsyncIterable<Uint8Array> {
  yield Buffer.from(before)
  const block = Buffer.from(text.repeat(1_000))
  for (let n = 0; n < times; n += 1_000) yield block
  yield Buffer.from(after)
}

/** What an attacker sends; each must be refused, soon and in little memory. */
const hostile: readonly (readonly [string, () => AsyncIterable<Uint8Array>])[] = [
  ['entities that grow', () => repeated(1_000, '&b;', '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>')],
  ['a file fetched', () => repeated(1_000, ' ', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;')],
  ['200,000 elements in each other', () => repeated(200_000, '<a>')],
  ['100 MB of text', () => repeated(100_000_000, 'x')],
  ['100 MB of an attribute', () => repeated(100_000_000, 'x', '<a b="', '"/>')],
  ['100 MB of a comment', () => repeated(100_000_000, 'x', '<a><!--', '--></a>')],
  ['100 MB of a name', () => repeated(100_000_000, 'x', '<', '/>')],
  ['a record that does not end', () => repeated(20_000_000, '<b/>', '<OperationsRequest>')],
  ['a document that is cut off', () => repeated(1_000, '<b/>', '<a>', '')]
]

export const bench: Bench = {
  name: 'xml',
  goals: ['G4'],
  async run(t, say, { short }) {
    const rounds = short ? 1 : 5
    const xmllint = program('/usr/bin/xmllint', 'libxml2-utils')
    const folder = mkdtempSync(join(tmpdir(), 'wv-bench-xml-'))
    t.teardown(async () => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'orders.xml')
    const orders = await write(path, short ? 10 : 50)
    const ratios: number[] = []
    const peaks: number[] = []
    for (let round = 0; round < rounds; round++) {
      const { seconds: limit } = await ran(xmllint, ['--stream', '--noout', path])
      const ours = await readApart(path)
      if (ours.records !== orders) throw new Error(`${ours.records} of ${orders} records were read`)
      ratios.push(limit / ours.seconds)
      peaks.push(ours.peak)
      say(`xmllint ${limit.toFixed(2)} s, ours ${ours.seconds.toFixed(2)} s, adds ${ours.peak.toFixed(0)} MB`)
    }
    const seconds: number[] = []
    const grown: number[] = []
    for (const [name, source] of hostile) {
      const before = process.memoryUsage().rss
      const began = performance.now()
      const refused = await Array.fromAsync(xmlRecords(source(), 'OperationsRequest')).then(
        () => false,
        error => error instanceof AdapterError
      )
      if (!refused) throw new Error(`not refused: ${name}`)
      seconds.push((performance.now() - began) / 1000)
      grown.push((process.memoryUsage().rss - before) / 1_000_000)
    }
    const figures: Figure[] = [
      { name: 'G4 XML reader, of xmllint --stream', unit: 'x', values: ratios, goal: 0.35, moonshot: 0.7, atLeast: true },
      {
        name: 'G4 XML reader, memory that it adds',
        unit: 'MB',
        values: peaks,
        goal: 48,
        note: '100 MB for the process, of which an empty one takes 52'
      },
      {
        name: 'G4 XML reader, slowest refusal',
        unit: 's',
        values: [Math.max(...seconds)],
        goal: 1,
        note: `${hostile.length} hostile documents`
      },
      { name: 'G4 XML reader, most memory for a refusal', unit: 'MB', values: [Math.max(...grown)], goal: 100 }
    ]
    return figures
  }
}

if (process.argv[1] === import.meta.filename) {
  const before = peakMegabytes()
  const began = performance.now()
  let records = 0
  for await (const _ of xmlRecords(createReadStream(process.argv[2] ?? ''), 'OperationsRequest')) records++
  const answer: Read = { seconds: (performance.now() - began) / 1000, records, peak: peakMegabytes() - before }
  process.stdout.write(JSON.stringify(answer))
}
