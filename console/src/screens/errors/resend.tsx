import { Button, Group, Stack, Text } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { newKey } from '../../parts/act'
import { notifyDone, notifyProblem } from '../../parts/problem'
import { useMay } from '../../session'
import { Decide } from '../connections/decide'
import { type Reject, useErrorsChanged } from './use-errors'

/** A message that the ERP refused: once the cause is away there it goes out again under the same key, or it is dropped. */
export function Resend({ reject }: { reject: Reject }) {
  const { t } = useTranslation()
  const may = useMay()
  const changed = useErrorsChanged()
  const [dropping, setDropping] = useState(false)
  const number = reject.feedback ?? ''
  const retry = api.useMutation('post', '/api/v1/outbox/{number}/retry', {
    onSuccess: () => {
      notifyDone(t('connections.retried'))
      changed()
    },
    onError: notifyProblem
  })
  return (
    <Stack gap="sm">
      <Text size="sm">{t('errors.outText')}</Text>
      <Group>
        {may('exchange.operate') ? (
          <Button
            leftSection={<IconRefresh size={18} />}
            loading={retry.isPending}
            onClick={() => retry.mutate({ params: { path: { number } }, headers: newKey() })}
          >
            {t('connections.retry')}
          </Button>
        ) : null}
        {may('exchange.decide') ? (
          <Button variant="subtle" color="red" onClick={() => setDropping(true)}>
            {t('connections.decide.drop')}
          </Button>
        ) : null}
      </Group>
      {dropping ? (
        <Decide
          number={number}
          decision="drop"
          close={() => {
            changed()
            setDropping(false)
          }}
        />
      ) : null}
    </Stack>
  )
}
