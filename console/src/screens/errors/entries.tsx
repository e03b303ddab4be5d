import { Skeleton } from '@mantine/core'
import { api } from '../../api/client'
import { More } from '../../parts/more'
import { ProblemNote } from '../../parts/problem'
import type { Asked } from './causes'
import classes from './errors.module.css'
import { NoErrors } from './no-errors'
import { ProblemRow } from './problem-row'

/** Every entry on its own, the newest first. */
export function Entries({ asked, filtered, open }: { asked: Asked; filtered: boolean; open: (id: string) => void }) {
  const entries = api.useInfiniteQuery(
    'get',
    '/api/v1/rejects',
    { params: { query: { ...asked, limit: 50 } } },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined, placeholderData: before => before }
  )
  const causes = api.useQuery('get', '/api/v1/reject-causes', { params: { query: { ...asked, limit: 200 } } })
  const rows = entries.data?.pages.flatMap(page => page.items) ?? []
  const sharing = new Map(causes.data?.items.map(({ cause, sample, count }) => [`${cause}${sample.connectionId}`, count]))
  return (
    <>
      <ProblemNote error={entries.error} retry={entries.refetch} />
      {entries.isPending ? <Skeleton height={72} /> : null}
      <ul className={classes.list}>
        {rows.map(reject => (
          <ProblemRow
            key={reject.id}
            reject={reject}
            count={sharing.get(`${reject.cause}${reject.connectionId}`) ?? 1}
            open={() => open(reject.id)}
          />
        ))}
      </ul>
      {entries.isSuccess && rows.length === 0 ? <NoErrors filtered={filtered} /> : null}
      <More query={entries} />
    </>
  )
}
