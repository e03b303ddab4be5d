import { Button, Group, Select, Stack, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, isProblem } from '../../api/client'
import { newKey } from '../../parts/act'
import { ProblemNote } from '../../parts/problem'
import { defaultsOf, SchemaForm, type SettingsValue, settingsToSend } from '../../parts/schema-form'
import { useMay, useMe } from '../../session'
import { type Adapter, type Connection, useConnectionChanged } from './use-connections'

const zones = Intl.supportedValuesOf('timeZone')

/** Name, clock and the settings that the adapter asks for: of a new connection, or of one that is there. */
export function SettingsForm({
  adapter,
  connection,
  action,
  done
}: {
  adapter: Adapter
  connection?: Connection | undefined
  action: string
  done: (connection: Connection) => void
}) {
  const { t } = useTranslation()
  const { zone } = useMe()
  const mayEdit = useMay()('exchange.configure')
  const [name, setName] = useState(connection?.name ?? '')
  const [timeZone, setTimeZone] = useState(connection?.timeZone ?? zone)
  const [value, setValue] = useState<SettingsValue>({ ...defaultsOf(adapter.config), ...connection?.config })
  const [key, setKey] = useState(newKey)
  const changed = useConnectionChanged()
  const after = {
    onSuccess: (made: Connection) => {
      changed()
      setKey(newKey())
      done(made)
    },
    // A refusal settles the intention; without an answer the same one is tried again.
    onError: (error: unknown) => isProblem(error) && setKey(newKey())
  }
  const create = api.useMutation('post', '/api/v1/connections', after)
  const update = api.useMutation('put', '/api/v1/connections/{id}', after)
  const running = connection ? update : create
  const send = (event: FormEvent) => {
    event.preventDefault()
    const given = { name: name.trim(), timeZone, config: settingsToSend(adapter.config, value) }
    if (connection) {
      update.mutate({ params: { path: { id: connection.id } }, headers: key, body: { ...given, version: connection.version } })
    } else create.mutate({ headers: key, body: { ...given, adapter: adapter.id } })
  }
  return (
    <form onSubmit={send}>
      <Stack maw={640}>
        <TextInput
          label={t('connections.name')}
          description={t('connections.nameHint')}
          required
          maxLength={80}
          data-autofocus
          readOnly={!mayEdit}
          value={name}
          error={isProblem(running.error) && running.error.code === 'connection_name_taken' ? t('refusal.connection_name_taken') : null}
          onChange={event => setName(event.currentTarget.value)}
        />
        <Select
          label={t('connections.timeZone')}
          description={t('connections.timeZoneHint')}
          searchable
          allowDeselect={false}
          maw={320}
          data={zones.includes(timeZone) ? zones : [timeZone, ...zones]}
          value={timeZone}
          onChange={next => next && setTimeZone(next)}
        />
        <SchemaForm
          schema={adapter.config}
          about={adapter.id}
          value={value}
          change={setValue}
          secretsSet={connection?.secretsSet ?? []}
          error={running.error}
        />
        <ProblemNote error={running.error} />
        {mayEdit ? (
          <Group>
            <Button type="submit" loading={running.isPending}>
              {action}
            </Button>
          </Group>
        ) : null}
      </Stack>
    </form>
  )
}
