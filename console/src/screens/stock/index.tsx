import { Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Navigate, Route, Routes, useLocation, useNavigate } from 'react-router'
import { PageHead } from '../../parts/page'
import { useMay } from '../../session'
import { Levels } from './levels'
import { PickListDetail } from './pick-list'
import { PickLists } from './pick-lists'

export default function Stock() {
  const { t } = useTranslation()
  const may = useMay()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const levels = may('stock.read')
  return (
    <>
      <PageHead title={t('stock.title')} />
      {levels && may('picks.read') ? (
        <Tabs
          value={pathname.startsWith('/stock/picks') ? 'picks' : 'levels'}
          onChange={value => navigate(value === 'picks' ? '/stock/picks' : '/stock')}
        >
          <Tabs.List mb="md">
            <Tabs.Tab value="levels">{t('stock.levels')}</Tabs.Tab>
            <Tabs.Tab value="picks">{t('stock.picks')}</Tabs.Tab>
          </Tabs.List>
        </Tabs>
      ) : null}
      <Routes>
        <Route index element={levels ? <Levels /> : <Navigate to="/stock/picks" replace />} />
        <Route path="picks" element={<PickLists />} />
        <Route path="picks/:listId" element={<PickListDetail />} />
      </Routes>
    </>
  )
}
