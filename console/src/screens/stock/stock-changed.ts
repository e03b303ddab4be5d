import { useQueryClient } from '@tanstack/react-query'

/** After a stock act: levels and ledgers are read again. */
export function useStockChanged(): () => void {
  const queries = useQueryClient()
  return () => {
    void queries.invalidateQueries({ queryKey: ['get', '/api/v1/stock'] })
    void queries.invalidateQueries({ queryKey: ['get', '/api/v1/stock-transactions'] })
  }
}
