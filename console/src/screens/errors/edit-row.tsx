import { Box, Button, Code, Group, Paper, Skeleton, Stack, Switch, Text, TextInput } from '@mantine/core'
import { type FormEvent, Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, isProblem } from '../../api/client'
import { newKey } from '../../parts/act'
import { notifyDone, ProblemNote } from '../../parts/problem'
import classes from './errors.module.css'
import { type Cell, cellAt, cellsOf, columnName, columnsRead, type Json, placeOf, type RowObject, valueAt, withText } from './row-model'
import { TrialNote } from './trial'
import { type Reject, useErrorsChanged } from './use-errors'

/** The row beside the original, which is kept; saved and replayed in one act. */
export function EditRow({ reject, cancel }: { reject: Reject; cancel: () => void }) {
  const row = api.useQuery(
    'get',
    '/api/v1/rejects/{id}/row',
    { params: { path: { id: reject.id } } },
    // Each look is entered in the journal: one per opening, not one per change of the bin.
    { staleTime: Number.POSITIVE_INFINITY, gcTime: 0 }
  )
  const mapping = api.useQuery('get', '/api/v1/connections/{id}/mapping', { params: { path: { id: reject.connectionId } } })
  if (row.error) return <ProblemNote error={row.error} retry={row.refetch} />
  if (!row.data || !mapping.data) return <Skeleton height={240} />
  const { original, edited, mapped } = row.data
  const imports = mapping.data.mapping.imports as RowObject | undefined
  const rule = mapped ? imports?.[reject.kind] : undefined
  const place = reject.field ? placeOf(rule, reject.field, (original ?? {}) as Json) : undefined
  return (
    <Editor
      reject={reject}
      original={(original ?? {}) as RowObject}
      start={(edited ?? original ?? {}) as RowObject}
      wrong={place ? cellAt(place, '') : undefined}
      read={rule === undefined ? undefined : new Set(columnsRead(rule))}
      cancel={cancel}
    />
  )
}

function Editor({
  reject,
  original,
  start,
  wrong,
  read,
  cancel
}: {
  reject: Reject
  original: RowObject
  start: RowObject
  wrong: Cell | undefined
  /** Columns that the mapping reads; undefined when there is none between. */
  read: ReadonlySet<string> | undefined
  cancel: () => void
}) {
  const { t } = useTranslation()
  const [all, setAll] = useState(false)
  const changed = useErrorsChanged()
  const [row, setRow] = useState<RowObject>(start)
  const [key, setKey] = useState(newKey)
  const params = { path: { id: reject.id } }
  const trial = api.useMutation('post', '/api/v1/rejects/{id}/dry-runs')
  const save = api.useMutation('put', '/api/v1/rejects/{id}/row', {
    onSuccess: () => {
      notifyDone(t('errors.edited'))
      changed()
      cancel()
    },
    onError: error => isProblem(error) && setKey(newKey())
  })
  const there = cellsOf(start)
  // A column that is missing is what many rows are refused for.
  const every = wrong && !there.some(({ id }) => id === wrong.id) ? [wrong, ...there] : there
  const cells = read && !all ? every.filter(cell => read.has(columnName(cell)) || cell.id === wrong?.id) : every
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          save.mutate({ params, headers: key, body: { row } })
        }}
      >
        <Stack gap="sm">
          <Box className={classes.cells}>
            <Text size="xs" c="dimmed">
              {t('errors.column')}
            </Text>
            <Text size="xs" c="dimmed">
              {t('errors.original')}
            </Text>
            <Text size="xs" c="dimmed" visibleFrom="sm">
              {t('errors.new')}
            </Text>
            {cells.map((cell, index) => (
              <Fragment key={cell.id}>
                {cell.group !== '' && cell.group !== cells[index - 1]?.group ? (
                  <Text size="sm" fw={600} mt="xs" className={classes.group ?? ''}>
                    {cell.group}
                  </Text>
                ) : null}
                <CellFields
                  cell={cell}
                  original={textAt(original, cell)}
                  value={textAt(row, cell)}
                  wrong={cell.id === wrong?.id}
                  change={text => {
                    setRow(withText(row, cell.path, text) as RowObject)
                    trial.reset()
                  }}
                />
              </Fragment>
            ))}
          </Box>
          {every.length > cells.length || all ? (
            <Switch
              label={t('errors.allColumns', { count: every.length })}
              checked={all}
              onChange={event => setAll(event.currentTarget.checked)}
            />
          ) : null}
          <TrialNote result={trial.data} error={trial.error} />
          <ProblemNote error={save.error} />
          <Group>
            <Button type="submit" loading={save.isPending}>
              {t('errors.saveAndReplay', { count: 1 })}
            </Button>
            <Button variant="default" loading={trial.isPending} onClick={() => trial.mutate({ params, body: { which: 'one', row } })}>
              {t('errors.dryRun')}
            </Button>
            <Button variant="subtle" onClick={cancel}>
              {t('act.cancel')}
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            {t('errors.editNote')}
          </Text>
        </Stack>
      </form>
    </Paper>
  )
}

function CellFields({
  cell,
  original,
  value,
  wrong,
  change
}: {
  cell: Cell
  original: string
  value: string
  wrong: boolean
  change: (text: string) => void
}) {
  const { t } = useTranslation()
  const differs = value !== original
  return (
    <>
      <Code bg="none">{cell.label}</Code>
      <Text size="sm" className={wrong ? (classes.wrong ?? '') : ''} c={wrong ? undefined : 'dimmed'} style={{ overflowWrap: 'anywhere' }}>
        {original === '' ? t('errors.emptyValue') : original}
      </Text>
      <TextInput
        className={classes.cellInput ?? ''}
        aria-label={t('errors.newOf', { column: [cell.group, cell.label].filter(Boolean).join(' ') })}
        {...(wrong ? { 'data-autofocus': true, autoFocus: true } : {})}
        error={wrong && !differs}
        fw={differs ? 600 : 400}
        maxLength={4000}
        value={value}
        onChange={event => change(event.currentTarget.value)}
      />
    </>
  )
}

const textAt = (row: RowObject, cell: Cell): string => {
  const value = valueAt(row, cell.path)
  return value === undefined || value === null ? '' : String(value)
}
