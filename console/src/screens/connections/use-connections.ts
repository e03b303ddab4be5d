import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import type { SettingsSchema } from '../../parts/schema-form'

export type Connection = components['schemas']['Connection']

export const useConnection = (id: string) => api.useQuery('get', '/api/v1/connections/{id}', { params: { path: { id } } })

interface Bringing {
  readonly via: readonly ('file' | 'http' | 'pull')[]
  readonly mode: readonly ('delta' | 'snapshot')[]
  readonly files?: { readonly pattern: string }
  readonly routes?: readonly string[]
}

/** An adapter with the parts of its manifest that screens read. */
export interface Adapter {
  readonly id: string
  readonly version: string
  readonly displayName: string
  readonly erp: { readonly product: string; readonly versions: string }
  readonly vendor: { readonly name: string; readonly support: string }
  readonly config: SettingsSchema
  readonly imports: Readonly<Record<string, Bringing>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly codeTables: readonly string[]
  readonly mapping: { readonly imports?: Readonly<Record<string, unknown>>; readonly exports?: Readonly<Record<string, unknown>> }
}

export function useAdapters() {
  const adapters = api.useQuery('get', '/api/v1/adapters', {}, { staleTime: 600_000 })
  return { ...adapters, items: adapters.data?.items as readonly Adapter[] | undefined }
}

export function useAdapterName(): (id: string) => string {
  const { t, i18n } = useTranslation()
  const { items } = useAdapters()
  return id =>
    i18n.exists(`adapter.${id}`)
      ? t(`adapter.${id}` as 'adapter.werkvloer.csv')
      : (items?.find(adapter => adapter.id === id)?.displayName ?? id)
}

/** How the ERP comes in: by file, by call, or not at all because the adapter fetches. */
export const waysOf = (adapter: Adapter | undefined): ReadonlySet<string> =>
  new Set(Object.values(adapter?.imports ?? {}).flatMap(({ via }) => via))

/** After an act: everything that shows connections is asked again. */
export function useConnectionChanged(): () => void {
  const queries = useQueryClient()
  return useCallback(
    () =>
      void queries.invalidateQueries({
        predicate: ({ queryKey: [, path] }) =>
          typeof path === 'string' && ['/api/v1/connections', '/api/v1/deliveries', '/api/v1/outbox'].some(start => path.startsWith(start))
      }),
    [queries]
  )
}
