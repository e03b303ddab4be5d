import { useMemo } from 'react'
import { api } from '../api/client'
import { useMay } from '../session'

/** Names of employees by id, for who may read them; others see none. */
export function useEmployeeNames(): (id: string | null) => string {
  const may = useMay()
  const employees = api.useQuery(
    'get',
    '/api/v1/employees',
    { params: { query: { limit: 200 } } },
    { enabled: may('employees.read'), staleTime: 300_000 }
  )
  const names = useMemo(() => new Map(employees.data?.items.map(item => [item.id, item.name ?? item.number ?? ''])), [employees.data])
  return id => (id === null ? '' : (names.get(id) ?? ''))
}
