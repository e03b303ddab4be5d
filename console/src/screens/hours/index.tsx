import { Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useFilter } from '../../parts/filter'
import { PageHead } from '../../parts/page'
import { useMay } from '../../session'
import { MyDay } from './my-day'
import { TeamDay } from './team-day'

export default function Hours() {
  const { t } = useTranslation()
  const may = useMay()
  const [{ tab }, setFilter] = useFilter(['tab'])
  const team = may('hours.read')
  return (
    <>
      <PageHead title={t('hours.title')} />
      {team ? (
        <Tabs value={tab || 'mine'} onChange={value => setFilter('tab', value === 'mine' ? null : value)} mb="md">
          <Tabs.List>
            <Tabs.Tab value="mine">{t('hours.mine')}</Tabs.Tab>
            <Tabs.Tab value="team">{t('hours.team')}</Tabs.Tab>
          </Tabs.List>
        </Tabs>
      ) : null}
      {team && tab === 'team' ? <TeamDay /> : <MyDay />}
    </>
  )
}
