import { Button, Center, Loader } from '@mantine/core'
import { useIntersection } from '@mantine/hooks'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

/** The end of a list that is read page by page: fetches the next one when it comes into sight; a button for keyboards. */
export function More({
  query
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; isError: boolean; fetchNextPage: () => unknown }
}) {
  const { t } = useTranslation()
  const { ref, entry } = useIntersection({ rootMargin: '300px' })
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = query
  const seen = entry?.isIntersecting ?? false
  useEffect(() => {
    if (seen && hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage()
  }, [seen, hasNextPage, isFetchingNextPage, isError, fetchNextPage])
  if (!hasNextPage) return null
  return (
    <Center ref={ref} py="md">
      {isFetchingNextPage ? (
        <Loader size="sm" />
      ) : (
        <Button variant="subtle" onClick={() => void fetchNextPage()}>
          {t('act.more')}
        </Button>
      )}
    </Center>
  )
}
