import { Skeleton, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { paths } from '../../api/schema'
import { ProblemNote } from '../../parts/problem'
import classes from './errors.module.css'
import { NoErrors } from './no-errors'
import { ProblemRow } from './problem-row'

export type Asked = Pick<
  NonNullable<paths['/api/v1/reject-causes']['get']['parameters']['query']>,
  'state' | 'connection' | 'delivery' | 'kind'
>
const most = 200

/** One row per cause, the most frequent first: what is mended once. */
export function Causes({ asked, filtered, open }: { asked: Asked; filtered: boolean; open: (id: string) => void }) {
  const { t } = useTranslation()
  const causes = api.useQuery(
    'get',
    '/api/v1/reject-causes',
    { params: { query: { ...asked, limit: most } } },
    { placeholderData: before => before }
  )
  const items = causes.data?.items ?? []
  return (
    <>
      <ProblemNote error={causes.error} retry={causes.refetch} />
      {causes.isPending ? <Skeleton height={72} /> : null}
      <ul className={classes.list}>
        {items.map(({ cause, count, sample }) => (
          <ProblemRow key={`${cause}${sample.connectionId}${sample.kind}`} reject={sample} count={count} open={() => open(sample.id)} />
        ))}
      </ul>
      {causes.isSuccess && items.length === 0 ? <NoErrors filtered={filtered} /> : null}
      {items.length === most ? (
        <Text size="sm" c="dimmed" mt="md">
          {t('errors.mostShown', { count: most })}
        </Text>
      ) : null}
    </>
  )
}
