import { Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Navigate, Route, Routes, useLocation, useNavigate } from 'react-router'
import { PageHead } from '../../parts/page'
import { useMay } from '../../session'
import { ApiKeys } from './api-keys'
import { Groups } from './groups'
import { Roles } from './roles'
import { Users } from './users'
import { Why } from './why'

export default function People() {
  const { t } = useTranslation()
  const may = useMay()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const parts = [
    { path: 'users', title: t('people.users'), needs: 'users.read', part: <Users /> },
    { path: 'groups', title: t('people.groups'), needs: 'groups.read', part: <Groups /> },
    { path: 'roles', title: t('people.roles'), needs: 'roles.read', part: <Roles /> },
    { path: 'keys', title: t('people.keys'), needs: 'api_keys.manage', part: <ApiKeys /> },
    { path: 'why', title: t('people.why'), needs: 'access.explain', part: <Why /> }
  ].filter(({ needs }) => may(needs))
  const here = parts.find(({ path }) => pathname.startsWith(`/people/${path}`))
  return (
    <>
      <PageHead title={t('people.title')} />
      <Tabs value={here?.path ?? null} onChange={path => navigate(`/people/${path}`)} mb="md">
        <Tabs.List>
          {parts.map(({ path, title }) => (
            <Tabs.Tab key={path} value={path}>
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <Routes>
        {parts.map(({ path, part }) => (
          <Route key={path} path={path} element={part} />
        ))}
        <Route path="*" element={<Navigate to={`/people/${parts[0]?.path}`} replace />} />
      </Routes>
    </>
  )
}
