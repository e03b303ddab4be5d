import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Load, Loaded } from './load.ts'

/**
 * node bench/load-child.ts < load
 *
 * Sends requests on connections that stay open and counts the answers. It knows no more HTTP than where an answer ends, so that next to
 * the server it costs little: a full client takes more of the machine than what is measured.
 */
const { port, clients, seconds, requests, status } = JSON.parse(await text(process.stdin)) as Load
const end = Buffer.from('\r\n\r\n')
const wanted = Buffer.from(`HTTP/1.1 ${status} `)
const times: number[] = []
let turn = 0

const next = (): string => {
  const one = requests[turn++ % requests.length] ?? ''
  return one.includes('{uuid}') ? one.replaceAll('{uuid}', () => randomUUID()) : one
}

/** @returns how many bytes the first answer in it takes; 0 when it is not whole yet */
function answerIn(bytes: Buffer): number {
  const head = bytes.indexOf(end)
  if (head < 0) return 0
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head))?.[1]
  const whole = head + end.length + Number(length)
  if (!bytes.subarray(0, wanted.length).equals(wanted) || length === undefined)
    throw new Error(`not wanted: ${bytes.toString('utf8', 0, 2_000)}`)
  return bytes.length >= whole ? whole : 0
}

const until = performance.now() + seconds * 1_000
const client = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let rest = Buffer.alloc(0)
    let asked = 0
    const ask = (): void => {
      asked = performance.now()
      socket.write(next())
    }
    socket.once('connect', ask)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server closed the connection')))
    socket.on('data', data => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data])
      const bytes = answerIn(rest)
      if (bytes === 0) return
      rest = rest.subarray(bytes)
      const now = performance.now()
      times.push(now - asked)
      if (now < until) return ask()
      socket.destroy()
      resolve()
    })
  })

const began = performance.now()
await Promise.all(Array.from({ length: clients }, client))
const took = performance.now() - began
times.sort((a, b) => a - b)
const at = (part: number): number => times[Math.floor(times.length * part)] ?? Number.NaN
const loaded: Loaded = { perSecond: times.length / (took / 1_000), p50: at(0.5), p99: at(0.99) }
process.stdout.write(JSON.stringify(loaded))
