import { ackFile, type Feedback, readFeedback } from './files.ts'
import { connect, type Sftp, type SftpAddress } from './sftp.ts'

/** What the ERP has booked: the only place where "once" can be counted. */
export interface Ledger {
  /** Key -> what arrived under it. */
  readonly booked: ReadonlyMap<string, Feedback>
  /** Keys that arrived again with other content: each is a double booking. */
  readonly doubled: readonly string[]
  /** Messages of an order in the order of arrival, as sequence numbers. */
  readonly outOfOrder: readonly string[]
}

export interface SimulatedErp {
  readonly ledger: Ledger
  deliver(name: string, text: string): Promise<void>
  /** Fetches what lies in the outbox, books it, acknowledges it and takes the files away. @returns how many were booked */
  collect(): Promise<number>
  close(): void
}

/** Files fetched before they are acknowledged. */
const mostAtOnce = 200

/** An ERP that speaks SFTP only: it drops files, fetches feedback, and answers each with a document number. */
export async function simulatedErp(address: SftpAddress): Promise<SimulatedErp> {
  let sftp: Sftp = await connect(address)
  const booked = new Map<string, Feedback>()
  const texts = new Map<string, string>()
  const doubled: string[] = []
  const outOfOrder: string[] = []
  const lastSeq = new Map<string, number>()
  let documents = 0
  let acks = 0

  /** A lost connection is opened again: an ERP tries until it works. */
  async function again<T>(work: (on: Sftp) => Promise<T>): Promise<T> {
    try {
      return await work(sftp)
    } catch {
      sftp.close()
      sftp = await connect(address)
      return work(sftp)
    }
  }

  return {
    ledger: { booked, doubled, outOfOrder },
    deliver: (name, text) => again(on => on.deliver(name, text)),
    async collect() {
      const names = (await again(on => on.list('outbox'))).filter(name => name.endsWith('.csv')).slice(0, mostAtOnce)
      if (names.length === 0) return 0
      const answers: { key: string; document: string }[] = []
      const fresh: { feedback: Feedback; text: string }[] = []
      for (const name of names) {
        const text = await again(on => on.read(`outbox/${name}`))
        fresh.push({ feedback: readFeedback(name, text), text })
      }
      for (const { feedback, text } of fresh) {
        const known = texts.get(feedback.key)
        if (known === undefined) {
          texts.set(feedback.key, text)
          booked.set(feedback.key, feedback)
          documents++
          const order = feedback.row.workOrder
          const seq = Number(feedback.row.Seq ?? 0)
          if (order !== undefined && order !== '') {
            if (seq < (lastSeq.get(order) ?? 0)) outOfOrder.push(feedback.key)
            lastSeq.set(order, Math.max(seq, lastSeq.get(order) ?? 0))
          }
        } else if (known !== text) doubled.push(feedback.key)
        answers.push({ key: feedback.key, document: `DOC-${documents}` })
      }
      const batch = `${String(++acks).padStart(5, '0')}`
      await again(on => on.deliver(`ACK_${batch}_${answers.length}.csv`, ackFile(answers)))
      for (const name of names) await again(on => on.remove(`outbox/${name}`))
      return answers.length
    },
    close: () => sftp.close()
  }
}
