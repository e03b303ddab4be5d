import { SimpleGrid } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { PageHead } from '../../parts/page'
import { ProgressCard } from './progress-card'
import { ScrapCard } from './scrap-card'
import { Tiles } from './tiles'

/** How it stands, for who looks at the whole hall: what runs, what is late, where it stops, and what is lost to scrap. */
export default function OverviewScreen() {
  const { t } = useTranslation()
  return (
    <>
      <PageHead title={t('nav.overview')} />
      <Tiles />
      <SimpleGrid cols={{ base: 1, md: 2 }} mt="md">
        <ProgressCard />
        <ScrapCard />
      </SimpleGrid>
    </>
  )
}
