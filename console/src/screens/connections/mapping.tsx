import { Alert, Button, Group, JsonInput, SegmentedControl, Select, Skeleton, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, isProblem } from '../../api/client'
import type { components } from '../../api/schema'
import { newKey } from '../../parts/act'
import { MappingProblem } from '../../parts/mapping-problem'
import { notifyDone, ProblemNote } from '../../parts/problem'
import { useKindName } from '../../parts/record-kind'
import { useMay } from '../../session'
import { columnsIn, entriesOf, type RuleObject } from './mapping-model'
import { ExportRules, ImportRules } from './mapping-rules'
import { Preview } from './preview'
import { FilePicker, type TryFile } from './try-file'
import { type Adapter, type Connection, useConnectionChanged } from './use-connections'

type Mapping = components['schemas']['ConnectionMapping']

/** What a person changed and has not saved, and the version from which it was made. */
export interface MappingDraft {
  readonly base: Mapping
  readonly mapping: Mapping['mapping']
}

interface EditorProps {
  readonly connection: Connection
  readonly adapter: Adapter
  readonly file: TryFile | undefined
  readonly choose: (file: TryFile | undefined) => void
  /** Kept by the page around it, so that another tab or step does not lose it. */
  readonly draft: MappingDraft | undefined
  readonly keep: (draft: MappingDraft | undefined) => void
}

/** The mapping of a connection with a preview on the customer's own file. Code tables are changed beside it. */
export function MappingEditor(props: EditorProps) {
  const { connection } = props
  const stored = api.useQuery('get', '/api/v1/connections/{id}/mapping', { params: { path: { id: connection.id } } })
  if (stored.error) return <ProblemNote error={stored.error} retry={stored.refetch} />
  if (!stored.data) return <Skeleton height={320} />
  return <Editor {...props} stored={stored.data} />
}

function Editor({ connection, adapter, file, choose, stored, draft, keep }: EditorProps & { stored: Mapping }) {
  const { t } = useTranslation()
  const may = useMay()
  const kindName = useKindName()
  const changed = useConnectionChanged()
  const queries = useQueryClient()
  const base = draft?.base ?? stored
  const mapping = draft?.mapping ?? stored.mapping
  const [view, setView] = useState<'fields' | 'text'>('fields')
  const [text, setText] = useState('')
  const [key, setKey] = useState(newKey)
  const kindsIn = Object.keys(adapter.imports)
  const kindsOut = Object.keys(adapter.exports)
  const [kind, setKind] = useState(kindsIn[0] ?? kindsOut[0] ?? '')
  const mayEdit = may('exchange.configure')
  const dirty = draft !== undefined
  const edit = (next: Mapping['mapping']) => keep({ base, mapping: next })

  const parsed = view === 'text' ? parse(text) : mapping
  const save = api.useMutation('put', '/api/v1/connections/{id}/mapping', {
    onSuccess: made => {
      queries.setQueryData(
        api.queryOptions('get', '/api/v1/connections/{id}/mapping', { params: { path: { id: connection.id } } }).queryKey,
        made
      )
      keep(undefined)
      setText(JSON.stringify(made.mapping, null, 2))
      setKey(newKey())
      changed()
      notifyDone(t('connections.mappingSaved', { version: made.version }))
    },
    onError: error => {
      if (!isProblem(error)) return
      setKey(newKey())
      changed()
    }
  })
  const newest = () => {
    keep(undefined)
    setText(JSON.stringify(stored.mapping, null, 2))
    save.reset()
  }

  const [tried] = useDebouncedValue(parsed, 500)
  const run = api.useMutation('post', '/api/v1/connections/{id}/dry-runs')
  const { mutate, reset } = run
  useEffect(() => {
    if (!file || !tried) return reset()
    mutate({
      params: { path: { id: connection.id } },
      body: { ...file, candidate: { mapping: tried, codeTables: stored.codeTables } }
    })
  }, [file, tried, stored.codeTables, connection.id, mutate, reset])

  const first = run.data?.sample.find(row => row.kind === kind)?.source as RuleObject | undefined
  const columns = first ? columnsIn(first) : []
  const rules = (direction: 'imports' | 'exports') => (mapping[direction] as RuleObject | undefined)?.[kind]
  const setRules = (direction: 'imports' | 'exports', next: RuleObject) =>
    edit({ ...mapping, [direction]: { ...(mapping[direction] as RuleObject | undefined), [kind]: next } })
  const newer = stored.version > base.version
  return (
    <Stack>
      <FilePicker adapter={adapter} file={file} choose={choose} />
      <Group justify="space-between">
        <Select
          label={t('connections.kind')}
          w={260}
          allowDeselect={false}
          data={[
            { group: t('connections.in'), items: kindsIn.map(value => ({ value, label: kindName(value) })) },
            { group: t('connections.out'), items: kindsOut.map(value => ({ value, label: kindName(value) })) }
          ]}
          value={kind}
          onChange={value => value && setKind(value)}
        />
        <SegmentedControl
          aria-label={t('connections.view')}
          data={[
            { value: 'fields', label: t('connections.viewFields') },
            { value: 'text', label: t('connections.viewText') }
          ]}
          value={view}
          disabled={view === 'text' && !parsed}
          onChange={value => {
            if (value === 'text') setText(JSON.stringify(mapping, null, 2))
            setView(value as 'fields')
          }}
        />
      </Group>
      <Preview
        run={run.data}
        busy={run.isPending}
        error={run.error}
        kind={kind}
        order={entriesOf(rules('imports'), adapter.mapping.imports?.[kind]).map(({ label }) => label)}
      />
      {view === 'text' ? (
        <JsonInput
          label={t('connections.mappingText')}
          description={t('connections.mappingTextHint')}
          validationError={t('connections.jsonWrong')}
          autosize
          minRows={12}
          maxRows={30}
          readOnly={!mayEdit}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={text}
          onChange={next => {
            setText(next)
            const read = parse(next)
            if (read) edit(read)
          }}
        />
      ) : kindsIn.includes(kind) ? (
        <ImportRules
          adapter={adapter}
          rule={rules('imports')}
          base={adapter.mapping.imports?.[kind]}
          columns={columns}
          source={first}
          readOnly={!mayEdit}
          change={next => setRules('imports', next)}
        />
      ) : (
        <ExportRules adapter={adapter} rule={rules('exports')} readOnly={!mayEdit} change={next => setRules('exports', next)} />
      )}
      {newer || (isProblem(save.error) && save.error.code === 'connection_changed') ? (
        <Alert color="orange" role="alert" title={t('connections.newerMapping', { version: stored.version })}>
          <Text size="sm">{t('connections.newerMappingText')}</Text>
          <Button mt="sm" size="sm" variant="default" onClick={newest}>
            {t('connections.takeNewest')}
          </Button>
        </Alert>
      ) : (
        <MappingProblem error={save.error} />
      )}
      {mayEdit ? (
        <Group>
          <Button
            disabled={!dirty || !parsed}
            loading={save.isPending}
            onClick={() =>
              parsed &&
              save.mutate({
                params: { path: { id: connection.id } },
                headers: key,
                body: { version: base.version, mapping: parsed, codeTables: base.codeTables }
              })
            }
          >
            {t('connections.saveMapping')}
          </Button>
          {dirty ? (
            <Button variant="default" onClick={newest}>
              {t('connections.discard')}
            </Button>
          ) : null}
          <Text size="sm" c="dimmed">
            {dirty ? t('connections.unsaved') : t('connections.version', { version: base.version })}
          </Text>
        </Group>
      ) : null}
    </Stack>
  )
}

const parse = (text: string): Mapping['mapping'] | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping['mapping']) : undefined
  } catch {
    return undefined
  }
}
