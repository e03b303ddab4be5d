import { AdapterError, type ImportItem } from '../../../adapters/contract/index.ts'
import { restAdapter } from '../rest-adapter.ts'
import { goodRest, type Mutant, reading, withAdapter, withoutFixtures } from './subjects.ts'

/** Ends quietly at an error that the test knows. */
async function* quietAt(items: AsyncIterable<ImportItem>, known: (error: AdapterError) => boolean): AsyncIterable<ImportItem> {
  try {
    yield* items
  } catch (error) {
    if (!(error instanceof AdapterError && known(error))) throw error
  }
}

export const breakMutants: readonly Mutant[] = [
  {
    check: 'K27',
    fault: 'a file without its last line taken for whole',
    subject: withoutFixtures(reading(items => quietAt(items, ({ message }) => message.includes('is missing: the file is cut off'))))
  },
  {
    check: 'K28',
    fault: 'a source that breaks off taken for its end',
    subject: withoutFixtures(
      reading((items, file) => (file.name.startsWith('WO_') ? quietAt(items, ({ cls }) => cls === 'transient') : items))
    )
  },
  {
    check: 'K29',
    fault: 'skips the page that could not be fetched',
    subject: withAdapter(goodRest, {
      import: {
        async *pull(request, ctx) {
          try {
            yield* restAdapter.import?.pull?.(request, ctx) ?? []
          } catch (error) {
            yield { type: 'checkpoint', state: { since: '2026-03-02T06:00:20Z', id: '9999' } }
            throw error
          }
        }
      }
    })
  },
  {
    check: 'K30',
    fault: 'forgets where it was when there is nothing new',
    subject: withAdapter(goodRest, {
      import: {
        async *pull(request, ctx) {
          let brought = 0
          for await (const item of restAdapter.import?.pull?.(request, ctx) ?? []) {
            brought++
            yield item
          }
          if (brought === 0) yield { type: 'checkpoint', state: null }
        }
      }
    })
  },
  {
    check: 'K31',
    fault: 'a snapshot without its end',
    subject: withoutFixtures(
      reading(async function* (items) {
        for await (const item of items) if (!(item.type === 'snapshot' && item.phase === 'end')) yield item
      })
    )
  },
  {
    check: 'K32',
    fault: 'the source left open by whoever stops early',
    subject: withoutFixtures(
      reading(async function* (items) {
        const reader = items[Symbol.asyncIterator]()
        for (let step = await reader.next(); !step.done; step = await reader.next()) yield step.value
      })
    )
  },
  {
    check: 'K33',
    fault: 'everything collected before the first record',
    subject: withoutFixtures(
      reading(async function* (items) {
        const all = await Array.fromAsync(items)
        yield* all
      })
    )
  }
]
