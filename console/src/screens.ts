import { IconClipboardList, IconUser } from '@tabler/icons-react'
import { type ComponentType, lazy } from 'react'

/** The screens, each in a chunk of its own. `needs`: one of these permissions shows it; empty is for everybody. */
export interface ScreenEntry {
  readonly path: string
  readonly title: 'nav.orders' | 'nav.account'
  readonly needs: readonly string[]
  readonly icon: ComponentType<{ size?: number; stroke?: number }>
  readonly Screen: ComponentType
}

export const screens: readonly ScreenEntry[] = [
  {
    path: '/orders',
    title: 'nav.orders',
    needs: ['orders.read'],
    icon: IconClipboardList,
    Screen: lazy(() => import('./screens/orders'))
  },
  { path: '/account', title: 'nav.account', needs: [], icon: IconUser, Screen: lazy(() => import('./screens/account')) }
]
