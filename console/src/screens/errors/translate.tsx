import { Button, Group, Paper, Stack, Text, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, isProblem } from '../../api/client'
import { newKey } from '../../parts/act'
import { MappingProblem } from '../../parts/mapping-problem'
import { notifyDone } from '../../parts/problem'
import { TrialNote } from './trial'
import { type Reject, useErrorsChanged } from './use-errors'

const mostOffered = 12

/** The code that is missing in a code table: entered once, it frees every row that waits for it. */
export function Translate({ reject, count }: { reject: Reject; count: number }) {
  const { t } = useTranslation()
  const changed = useErrorsChanged()
  const [ours, setOurs] = useState('')
  const [key, setKey] = useState(newKey)
  const table = reject.codeTable ?? ''
  const mapping = api.useQuery('get', '/api/v1/connections/{id}/mapping', { params: { path: { id: reject.connectionId } } })
  const known = [...new Set(Object.values(mapping.data?.codeTables[table] ?? {}))].sort()
  const given = ours.trim()
  const params = { path: { id: reject.id } }
  const trial = api.useMutation('post', '/api/v1/rejects/{id}/dry-runs')
  const save = api.useMutation('post', '/api/v1/rejects/{id}/translation', {
    onSuccess: made => {
      notifyDone(t('errors.translated', { value: reject.value, ours: ours.trim(), count: made.count }))
      changed()
    },
    onError: error => isProblem(error) && setKey(newKey())
  })
  const choose = (code: string) => {
    setOurs(code)
    trial.reset()
  }
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          if (given !== '') save.mutate({ params, headers: key, body: { ours: given } })
        }}
      >
        <Stack gap="sm">
          <TextInput
            label={t('errors.means', { value: reject.value, table })}
            description={t('errors.meansHint')}
            required
            autoFocus
            data-autofocus
            maxLength={120}
            value={ours}
            onChange={event => choose(event.currentTarget.value)}
          />
          {known.length > 0 ? (
            <Group gap="xs" role="group" aria-label={t('errors.usedSoFar')}>
              {known.slice(0, mostOffered).map(code => (
                <Button
                  key={code}
                  variant={code === given ? 'filled' : 'default'}
                  aria-pressed={code === given}
                  onClick={() => choose(code)}
                >
                  {code}
                </Button>
              ))}
            </Group>
          ) : null}
          <TrialNote result={trial.data} error={trial.error} />
          <MappingProblem error={save.error} />
          <Group>
            <Button type="submit" loading={save.isPending} disabled={given === ''}>
              {t('errors.saveAndReplay', { count })}
            </Button>
            <Button
              variant="default"
              loading={trial.isPending}
              disabled={given === ''}
              onClick={() => trial.mutate({ params, body: { which: 'same_cause', ours: given } })}
            >
              {t('errors.dryRun')}
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            {t('errors.translateNote')}
          </Text>
        </Stack>
      </form>
    </Paper>
  )
}
