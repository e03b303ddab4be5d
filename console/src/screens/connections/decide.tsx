import { Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { useConnectionChanged } from './use-connections'

export type Decision = 'there' | 'send' | 'drop'

/** What a person found out in the ERP about a message of which nobody knows whether it arrived. */
export function Decide({ number, decision, close }: { number: string; decision: Decision; close: () => void }) {
  const { t } = useTranslation()
  const changed = useConnectionChanged()
  const [document, setDocument] = useState('')
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const decide = api.useMutation('post', '/api/v1/outbox/{number}/decide', {
    onSuccess: () => {
      changed()
      close()
    }
  })
  return (
    <ActForm
      title={t(`connections.decide.${decision}`)}
      action={t('connections.decideAct')}
      error={decide.error}
      busy={decide.isPending}
      close={close}
      send={() =>
        decide.mutate({
          params: { path: { number } },
          headers: key,
          body: decision === 'there' ? { decision, document: document.trim(), reason: reason.trim() } : { decision, reason: reason.trim() }
        })
      }
    >
      <Text size="sm">{t(`connections.decideText.${decision}`)}</Text>
      {decision === 'there' ? (
        <TextInput
          label={t('connections.document')}
          required
          maxLength={200}
          data-autofocus
          value={document}
          onChange={event => setDocument(event.currentTarget.value)}
        />
      ) : null}
      <TextInput
        label={t('connections.reason')}
        description={t('connections.decideReason')}
        required
        maxLength={300}
        value={reason}
        onChange={event => setReason(event.currentTarget.value)}
      />
    </ActForm>
  )
}
