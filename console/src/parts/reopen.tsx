import { Button, Text, TextInput } from '@mantine/core'
import { IconLockOpen } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../api/client'
import { newKey } from './act'
import { ActForm } from './act-form'
import type { Job } from './acts'
import { notifyDone } from './problem'

/** Takes a completed job back to paused: asks why, since the ERP was told that it is completed. */
export function Reopen({ job, done }: { job: Pick<Job, 'id' | 'orderNumber' | 'number'>; done?: () => void }) {
  const { t } = useTranslation()
  const [asking, setAsking] = useState(false)
  const name = `${job.orderNumber} / ${job.number}`
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconLockOpen size={18} />}
        aria-label={t('reopen.job', { job: name })}
        onClick={() => setAsking(true)}
      >
        {t('reopen.action')}
      </Button>
      {asking ? (
        <WithReason
          jobId={job.id}
          name={name}
          close={() => {
            setAsking(false)
            done?.()
          }}
        />
      ) : null}
    </>
  )
}

function WithReason({ jobId, name, close }: { jobId: string; name: string; close: () => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const [missing, setMissing] = useState(false)
  const [key] = useState(newKey)
  const reopen = api.useMutation('post', '/api/v1/jobs/{jobId}/reopen', {
    onSuccess: job => {
      queries.setQueryData(api.queryOptions('get', '/api/v1/jobs/{jobId}', { params: { path: { jobId } } }).queryKey, job)
      void queries.invalidateQueries({
        predicate: ({ queryKey: [, path] }) => typeof path === 'string' && /^\/api\/v1\/(jobs|work-orders|floor)/.test(path)
      })
      notifyDone(t('reopen.done', { job: name }))
      close()
    }
  })
  const send = () => {
    setMissing(reason.trim() === '')
    if (reason.trim() === '' || reopen.isPending) return
    reopen.mutate({ params: { path: { jobId } }, headers: key, body: { reason: reason.trim() } })
  }
  return (
    <ActForm
      title={t('reopen.title', { job: name })}
      action={t('reopen.action')}
      error={reopen.error}
      busy={reopen.isPending}
      send={send}
      close={close}
    >
      <Text size="sm">{t('reopen.text')}</Text>
      <TextInput
        label={t('reopen.reason')}
        data-autofocus
        withAsterisk
        maxLength={200}
        value={reason}
        error={missing && reason.trim() === '' ? t('reopen.ask') : undefined}
        onChange={event => setReason(event.currentTarget.value)}
      />
    </ActForm>
  )
}
