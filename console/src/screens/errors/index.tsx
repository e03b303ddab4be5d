import { Group, SegmentedControl, Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFilter } from '../../parts/filter'
import { PageHead } from '../../parts/page'
import { useKindName } from '../../parts/record-kind'
import { Causes } from './causes'
import { Entries } from './entries'
import { Entry } from './entry'
import { rejectStates } from './reject-state'
import { Undecided } from './undecided'
import type { Reject } from './use-errors'

const kinds = [
  'workOrder',
  'article',
  'stock',
  'pickList',
  'location',
  'employee',
  'operationStatus',
  'orderStatus',
  'stockTransaction',
  'materialConsumption',
  'productReceipt',
  'labour',
  'ack'
] as const

/** What did not get through, in or out: the work that waits for somebody. Filters and the open entry live in the address. */
export default function Errors() {
  const { t } = useTranslation()
  const kindName = useKindName()
  const [filter, setFilter] = useFilter(['connection', 'delivery', 'state', 'kind', 'view', 'entry', 'cause'])
  const connections = api.useQuery('get', '/api/v1/connections')
  const state = (filter.state || 'open') as Reject['state']
  const asked = {
    state,
    ...(filter.connection ? { connection: filter.connection } : {}),
    ...(filter.delivery ? { delivery: filter.delivery } : {}),
    ...(filter.kind ? { kind: filter.kind } : {})
  }
  const filtered = filter.connection !== '' || filter.delivery !== '' || filter.kind !== '' || state !== 'open'
  return (
    <>
      <PageHead title={t('errors.title')} note={t('errors.note')} />
      {state === 'open' && filter.delivery === '' && filter.kind === '' ? <Undecided connectionId={filter.connection} /> : null}
      <Group mb="md">
        <SegmentedControl
          aria-label={t('errors.view')}
          data={[
            { value: 'causes', label: t('errors.byCause') },
            { value: 'rows', label: t('errors.byRow') }
          ]}
          value={filter.view || 'causes'}
          onChange={value => setFilter('view', value === 'causes' ? null : value)}
        />
        <Select
          w={180}
          aria-label={t('errors.stateOf')}
          allowDeselect={false}
          data={rejectStates.map(value => ({ value, label: t(`errors.state.${value}`) }))}
          value={state}
          onChange={value => setFilter('state', value === 'open' ? null : value)}
        />
        {(connections.data?.items.length ?? 0) > 1 || filter.connection ? (
          <Select
            w={220}
            aria-label={t('errors.connection')}
            placeholder={t('errors.connection')}
            clearable
            data={(connections.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            value={filter.connection || null}
            onChange={value => setFilter('connection', value)}
          />
        ) : null}
        <Select
          w={200}
          aria-label={t('errors.kind')}
          placeholder={t('errors.kind')}
          clearable
          data={kinds.map(value => ({ value, label: kindName(value) }))}
          value={filter.kind || null}
          onChange={value => setFilter('kind', value)}
        />
      </Group>
      {filter.view === 'rows' ? (
        <Entries asked={asked} filtered={filtered} open={id => setFilter('entry', id)} />
      ) : (
        <Causes asked={asked} filtered={filtered} open={id => setFilter('entry', id)} />
      )}
      {filter.entry ? <Entry key={filter.entry} id={filter.entry} close={() => setFilter('entry', null)} /> : null}
    </>
  )
}
