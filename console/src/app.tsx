import { Center, Loader } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { BrowserRouter, Navigate, Route, Routes } from 'react-router'
import { ActsProvider } from './parts/acts-provider'
import { homeOf, screens } from './screens'
import { SignIn } from './screens/sign-in'
import { useSession } from './session'
import { Layout } from './shell/layout'

const Welcome = lazy(() => import('./screens/welcome').then(module => ({ default: module.Welcome })))

export function App() {
  const { state } = useSession()
  return (
    <BrowserRouter>
      <Suspense fallback={<Waiting />}>
        <Routes>
          <Route path="/welcome" element={<Welcome />} />
          <Route path="*" element={state.kind === 'starting' ? <Waiting /> : state.kind === 'out' ? <SignIn /> : <Inside />} />
        </Routes>
      </Suspense>
    </BrowserRouter>
  )
}

function Inside() {
  const { state } = useSession()
  if (state.kind !== 'in') return null
  const offered = screens.filter(({ needs }) => needs.length === 0 || needs.some(permission => state.me.permissions.includes(permission)))
  return (
    <ActsProvider personId={state.me.id}>
      <Layout screens={offered}>
        <Suspense fallback={<Waiting />}>
          <Routes>
            {screens.map(screen => (
              <Route key={screen.path} path={`${screen.path}/*`} element={<screen.Screen />} />
            ))}
            <Route path="*" element={<Navigate to={homeOf(offered, state.me.employeeId)} replace />} />
          </Routes>
        </Suspense>
      </Layout>
    </ActsProvider>
  )
}

function Waiting() {
  return (
    <Center mih={200} h="100%">
      <Loader aria-label="…" />
    </Center>
  )
}
