import { Button, Card, Group, Stack, TextInput, Title } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { notifyProblem } from '../../parts/problem'
import { useMay } from '../../session'
import { Check } from './check'
import { ConnectionFacts, PausedNote } from './connection-facts'
import { Addresses } from './list'
import { type Connection, useConnectionChanged } from './use-connections'

export function Overview({ connection }: { connection: Connection }) {
  const { t } = useTranslation()
  const may = useMay()
  const changed = useConnectionChanged()
  const [pausing, setPausing] = useState(false)
  const resume = api.useMutation('post', '/api/v1/connections/{id}/resume', { onSuccess: changed, onError: notifyProblem })
  return (
    <Stack>
      <Card withBorder padding="lg">
        <Stack>
          <PausedNote connection={connection} />
          <ConnectionFacts connection={connection} />
          <Addresses connection={connection} />
          {may('exchange.operate') ? (
            <Group>
              {connection.state === 'active' ? (
                <Button variant="default" leftSection={<IconPlayerPause size={18} />} onClick={() => setPausing(true)}>
                  {t('connections.pause')}
                </Button>
              ) : null}
              {connection.state === 'paused' ? (
                <Button
                  leftSection={<IconPlayerPlay size={18} />}
                  loading={resume.isPending}
                  onClick={() => resume.mutate({ params: { path: { id: connection.id } }, headers: newKey(), body: {} })}
                >
                  {t('connections.resume')}
                </Button>
              ) : null}
            </Group>
          ) : null}
        </Stack>
      </Card>
      {may('exchange.operate') ? (
        <>
          <Title order={2} size="h4" mt="md">
            {t('connections.checkTitle')}
          </Title>
          <Check id={connection.id} />
        </>
      ) : null}
      {pausing ? <Pause connection={connection} close={() => setPausing(false)} /> : null}
    </Stack>
  )
}

/** Asks for the reason, which everybody sees who looks at the connection. */
function Pause({ connection, close }: { connection: Connection; close: () => void }) {
  const { t } = useTranslation()
  const changed = useConnectionChanged()
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const pause = api.useMutation('post', '/api/v1/connections/{id}/pause', {
    onSuccess: () => {
      changed()
      close()
    }
  })
  return (
    <ActForm
      title={t('connections.pauseTitle', { name: connection.name })}
      action={t('connections.pause')}
      error={pause.error}
      busy={pause.isPending}
      close={close}
      send={() => pause.mutate({ params: { path: { id: connection.id } }, headers: key, body: { reason: reason.trim() } })}
    >
      <TextInput
        label={t('connections.reason')}
        description={t('connections.pauseText')}
        required
        maxLength={300}
        data-autofocus
        value={reason}
        onChange={event => setReason(event.currentTarget.value)}
      />
    </ActForm>
  )
}
