import { Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { useMe } from '../../session'
import { type Connection, useConnectionChanged } from './use-connections'

type Access = components['schemas']['Access']
export type AccessKind = Access['kind']

/** A user name that nobody else has, most likely: it is unique over all customers. */
const proposal = (customer: string, connection: string): string =>
  `${customer}-${connection}`
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '')

export function AddAccess({
  connection,
  kind,
  close,
  done
}: {
  connection: Connection
  kind: AccessKind
  close: () => void
  done: (access: Access, secret: string | null) => void
}) {
  const { t } = useTranslation()
  const { customer } = useMe()
  const [username, setUsername] = useState(() => proposal(customer, connection.name))
  const [label, setLabel] = useState('')
  const [publicKey, setPublicKey] = useState('')
  const [key] = useState(newKey)
  const changed = useConnectionChanged()
  const key_ = api.useMutation('post', '/api/v1/connections/{connection}/access/sftp-keys', {
    onSuccess: access => done(access, null),
    onSettled: changed
  })
  const password = api.useMutation('post', '/api/v1/connections/{connection}/access/sftp-passwords', {
    onSuccess: answer => done(answer.access, answer.password),
    onSettled: changed
  })
  const token = api.useMutation('post', '/api/v1/connections/{connection}/access/tokens', {
    onSuccess: answer => done(answer.access, answer.token),
    onSettled: changed
  })
  const running = { sftp_key: key_, sftp_password: password, token }[kind]
  const send = () => {
    const given = { params: { path: { connection: connection.id } }, headers: key }
    const name = username.trim()
    if (kind === 'sftp_key') key_.mutate({ ...given, body: { username: name, publicKey: publicKey.trim(), label: label.trim() } })
    else if (kind === 'sftp_password') password.mutate({ ...given, body: { username: name, label: label.trim() } })
    else token.mutate({ ...given, body: { label: label.trim() } })
  }
  return (
    <ActForm
      title={t(`connections.add.${kind}`)}
      action={t('connections.addAct')}
      error={running.error}
      busy={running.isPending}
      send={send}
      close={close}
    >
      {kind === 'token' ? null : (
        <TextInput
          label={t('connections.username')}
          description={t('connections.usernameHint')}
          required
          minLength={3}
          maxLength={32}
          pattern="[a-z][a-z0-9\-]{2,31}"
          autoComplete="off"
          value={username}
          onChange={event => setUsername(event.currentTarget.value)}
        />
      )}
      {kind === 'sftp_key' ? (
        <Textarea
          label={t('connections.publicKey')}
          description={t('connections.publicKeyHint')}
          placeholder="ssh-ed25519 AAAA…"
          required
          autosize
          minRows={3}
          maxLength={4000}
          value={publicKey}
          onChange={event => setPublicKey(event.currentTarget.value)}
        />
      ) : null}
      <TextInput
        label={t('connections.usedFor')}
        description={t('connections.usedForHint')}
        required
        maxLength={100}
        data-autofocus
        value={label}
        onChange={event => setLabel(event.currentTarget.value)}
      />
      {kind === 'sftp_key' ? null : (
        <Text size="sm" c="dimmed">
          {t('connections.onceText')}
        </Text>
      )}
    </ActForm>
  )
}
