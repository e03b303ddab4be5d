import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'

export type Reject = components['schemas']['Reject']

/** After an act: everything that shows the error bin is asked again. */
export function useErrorsChanged(): () => void {
  const queries = useQueryClient()
  return useCallback(
    () =>
      void queries.invalidateQueries({
        predicate: ({ queryKey: [, path] }) =>
          typeof path === 'string' &&
          ['/api/v1/rejects', '/api/v1/reject-causes', '/api/v1/connections', '/api/v1/deliveries', '/api/v1/outbox'].some(start =>
            path.startsWith(start)
          )
      }),
    [queries]
  )
}

export function useConnectionName(): (id: string) => string {
  const { data } = api.useQuery('get', '/api/v1/connections')
  return id => data?.items.find(connection => connection.id === id)?.name ?? '…'
}

/** "Work order 10234": what the row is about, by the ERP's key. */
export function useRecordName(): (reject: Pick<Reject, 'kind' | 'key'>) => string {
  const { t, i18n } = useTranslation()
  return ({ kind, key }) => {
    const name = i18n.exists(`recordOf.${kind}`) ? t(`recordOf.${kind}` as 'recordOf.workOrder') : kind
    return key === null ? name : `${name} ${key}`
  }
}

/** Connection, file and line in which the row came, or the way out. */
export function usePlace(): (reject: Pick<Reject, 'connectionId' | 'delivery' | 'line' | 'pointer' | 'direction' | 'feedback'>) => string {
  const { t } = useTranslation()
  const connectionName = useConnectionName()
  return ({ connectionId, delivery, line, pointer, direction, feedback }) =>
    [
      connectionName(connectionId),
      direction === 'out' ? t('errors.toErp', { number: feedback ?? '' }) : delivery?.name,
      line === null ? pointer : t('connections.atLine', { line })
    ]
      .filter(Boolean)
      .join(' · ')
}
