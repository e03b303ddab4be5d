import { Button, Group, Stack, Switch, TextInput } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, isProblem } from '../../api/client'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { notifyDone, notifyProblem } from '../../parts/problem'
import { TrialNote } from './trial'
import { type Reject, useErrorsChanged } from './use-errors'

/** Once more with today's mapping, for this row or all of its cause; to see first how that would go; or to leave it aside. */
export function Retry({
  reject,
  count,
  tries,
  children
}: {
  reject: Reject
  count: number
  /** false where another form beside it offers the dry run. */
  tries: boolean
  children: ReactNode
}) {
  const { t } = useTranslation()
  const changed = useErrorsChanged()
  const [skipping, setSkipping] = useState(false)
  const [all, setAll] = useState(false)
  const which = all && count > 1 ? 'same_cause' : 'one'
  const concerned = which === 'one' ? 1 : count
  const params = { path: { id: reject.id } }
  const trial = api.useMutation('post', '/api/v1/rejects/{id}/dry-runs')
  const replay = api.useMutation('post', '/api/v1/rejects/{id}/replay', {
    onSuccess: made => {
      notifyDone(t('errors.replayed', { count: made.count }))
      changed()
    },
    onError: notifyProblem
  })
  return (
    <Stack gap="sm">
      {count > 1 ? (
        <Switch label={t('errors.forAll', { count })} checked={all} onChange={event => setAll(event.currentTarget.checked)} />
      ) : null}
      <Group>
        {children}
        <Button
          variant="default"
          leftSection={<IconRefresh size={18} />}
          loading={replay.isPending}
          onClick={() => replay.mutate({ params, headers: newKey(), body: { which } })}
        >
          {t('errors.retry', { count: concerned })}
        </Button>
        {reject.hasRow && tries ? (
          <Button variant="default" loading={trial.isPending} onClick={() => trial.mutate({ params, body: { which } })}>
            {t('errors.dryRun')}
          </Button>
        ) : null}
        <Button variant="subtle" color="red" onClick={() => setSkipping(true)}>
          {t('errors.skip', { count: concerned })}
        </Button>
      </Group>
      <TrialNote result={trial.data} error={trial.error} />
      {skipping ? <Skip reject={reject} which={which} count={concerned} close={() => setSkipping(false)} /> : null}
    </Stack>
  )
}

function Skip({ reject, which, count, close }: { reject: Reject; which: 'one' | 'same_cause'; count: number; close: () => void }) {
  const { t } = useTranslation()
  const changed = useErrorsChanged()
  const [reason, setReason] = useState('')
  const [key, setKey] = useState(newKey)
  const skip = api.useMutation('post', '/api/v1/rejects/{id}/skip', {
    onSuccess: made => {
      notifyDone(t('errors.skipped', { count: made.count }))
      changed()
      close()
    },
    onError: error => isProblem(error) && setKey(newKey())
  })
  return (
    <ActForm
      title={t('errors.skip', { count })}
      action={t('errors.skipAct')}
      error={skip.error}
      busy={skip.isPending}
      close={close}
      send={() => skip.mutate({ params: { path: { id: reject.id } }, headers: key, body: { which, reason: reason.trim() } })}
    >
      <TextInput
        label={t('errors.reason')}
        description={t('errors.skipText')}
        required
        data-autofocus
        maxLength={300}
        value={reason}
        onChange={event => setReason(event.currentTarget.value)}
      />
    </ActForm>
  )
}
