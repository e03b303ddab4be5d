import {
  IconAlertTriangle,
  IconChartBar,
  IconClipboardList,
  IconClock,
  IconHammer,
  IconPackages,
  IconPlugConnected,
  IconUser,
  IconUsers
} from '@tabler/icons-react'
import { type ComponentType, lazy } from 'react'
import type texts from './texts/en.json'

/** The screens, each in a chunk of its own. `needs`: one of these permissions shows it; empty is for everybody. */
export interface ScreenEntry {
  readonly path: string
  readonly title: Extract<keyof typeof texts, `nav.${string}`>
  readonly needs: readonly string[]
  readonly icon: ComponentType<{ size?: number; stroke?: number }>
  readonly Screen: ComponentType
}

export const screens: readonly ScreenEntry[] = [
  {
    path: '/floor',
    title: 'nav.floor',
    needs: ['jobs.work'],
    icon: IconHammer,
    Screen: lazy(() => import('./screens/floor'))
  },
  {
    path: '/overview',
    title: 'nav.overview',
    needs: ['orders.read'],
    icon: IconChartBar,
    Screen: lazy(() => import('./screens/overview'))
  },
  {
    path: '/orders',
    title: 'nav.orders',
    needs: ['orders.read'],
    icon: IconClipboardList,
    Screen: lazy(() => import('./screens/orders'))
  },
  {
    path: '/stock',
    title: 'nav.stock',
    needs: ['stock.read', 'picks.read'],
    icon: IconPackages,
    Screen: lazy(() => import('./screens/stock'))
  },
  {
    path: '/hours',
    title: 'nav.hours',
    needs: ['jobs.work', 'hours.read'],
    icon: IconClock,
    Screen: lazy(() => import('./screens/hours'))
  },
  {
    path: '/connections',
    title: 'nav.connections',
    needs: ['exchange.read'],
    icon: IconPlugConnected,
    Screen: lazy(() => import('./screens/connections'))
  },
  {
    path: '/errors',
    title: 'nav.errors',
    needs: ['exchange.read'],
    icon: IconAlertTriangle,
    Screen: lazy(() => import('./screens/errors'))
  },
  {
    path: '/people',
    title: 'nav.people',
    needs: ['users.read', 'roles.read', 'groups.read', 'access.explain', 'api_keys.manage'],
    icon: IconUsers,
    Screen: lazy(() => import('./screens/people'))
  },
  { path: '/account', title: 'nav.account', needs: [], icon: IconUser, Screen: lazy(() => import('./screens/account')) }
]

/** Where a person begins: on the floor who can clock there; who has no clock to start looks at the whole. */
export const homeOf = (offered: readonly ScreenEntry[], employeeId: string | null): string => {
  const overview = employeeId === null ? offered.find(({ path }) => path === '/overview') : undefined
  return (overview ?? offered[0])?.path ?? '/account'
}
