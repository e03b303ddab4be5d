import { useCallback } from 'react'
import { useSearchParams } from 'react-router'

/** Filters live in the address: a link shows what the sender saw, and "back" takes the last choice back. An empty value is no filter. */
export function useFilter<K extends string>(names: readonly K[]): [Readonly<Record<K, string>>, (name: K, value: string | null) => void] {
  const [params, setParams] = useSearchParams()
  const values = Object.fromEntries(names.map(name => [name, params.get(name) ?? ''])) as Record<K, string>
  const set = useCallback(
    (name: K, value: string | null) =>
      setParams(
        before => {
          const after = new URLSearchParams(before)
          if (value) after.set(name, value)
          else after.delete(name)
          return after
        },
        { replace: true }
      ),
    [setParams]
  )
  return [values, set]
}
