import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import { client, keepAccess, onEnded, refresh } from './api/client'
import type { components } from './api/schema'

export type Me = components['schemas']['Me']

type State = { kind: 'starting' } | { kind: 'out'; unreachable?: boolean } | { kind: 'in'; me: Me }

interface Session {
  readonly state: State
  /** After a sign-in or an accepted link: reads who this is. */
  enter(tokens: { accessToken: string; expiresAt: string }): Promise<void>
  reload(): Promise<void>
  signOut(): Promise<void>
}

const SessionContext = createContext<Session | undefined>(undefined)

export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ kind: 'starting' })
  const queries = useQueryClient()

  const out = useCallback(
    (unreachable = false) => {
      keepAccess(undefined)
      queries.clear()
      setState({ kind: 'out', unreachable })
    },
    [queries]
  )
  const reload = useCallback(async () => {
    const { data } = await client.GET('/api/v1/session')
    if (data) setState({ kind: 'in', me: data })
    else out()
  }, [out])

  useEffect(() => {
    onEnded(() => out())
    refresh().then(
      known => (known ? reload() : out()),
      () => out(true)
    )
  }, [out, reload])

  const session = useMemo<Session>(
    () => ({
      state,
      reload,
      async enter(tokens) {
        queries.clear()
        keepAccess(tokens)
        await reload()
      },
      async signOut() {
        // Whatever the server answers, this browser forgets.
        await client.POST('/api/v1/session/sign-out').catch(() => undefined)
        out()
      }
    }),
    [state, reload, out, queries]
  )
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>
}

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('outside of SessionProvider')
  return session
}

/** Who is signed in; for screens, which exist only then. */
export function useMe(): Me {
  const { state } = useSession()
  if (state.kind !== 'in') throw new Error('nobody is signed in')
  return state.me
}

/** What the screen offers. The server decides for itself on each request. */
export function useMay(): (permission: string) => boolean {
  const { permissions } = useMe()
  const held = useMemo(() => new Set(permissions), [permissions])
  return useCallback(permission => held.has(permission), [held])
}
