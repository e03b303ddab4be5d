import { api } from '../api/client'
import { useMay } from '../session'

/** How much waits for somebody: open entries of the error bin, held deliveries, and messages of which nobody knows the outcome. */
export function useOpenErrors(): number {
  const may = useMay()
  const { data } = api.useQuery('get', '/api/v1/connections', {}, { enabled: may('exchange.read') })
  return (data?.items ?? []).reduce(
    (sum, { openRejects, deliveriesForSomebody, outUndecided }) => sum + openRejects + deliveriesForSomebody + outUndecided,
    0
  )
}
