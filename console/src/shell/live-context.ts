import { createContext, useContext } from 'react'
import type { LiveState } from '../api/live'

export const LiveContext = createContext<LiveState>('connecting')

/** Whether the server is heard from at this moment. */
export const useLive = (): LiveState => useContext(LiveContext)
