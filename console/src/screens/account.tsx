import { Badge, Button, Card, Group, PasswordInput, Stack, Table, Text, Title } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../api/client'
import { useFormat } from '../format'
import { PageHead } from '../parts/page'
import { notifyDone, notifyProblem, ProblemNote } from '../parts/problem'
import { useMe, useSession } from '../session'

/** Who I am here, my password, and where I am signed in. */
export default function Account() {
  const { t } = useTranslation()
  const me = useMe()
  return (
    <>
      <PageHead title={t('nav.account')} note={`${me.name ?? me.username} · ${me.customer}`} />
      <Stack maw={760}>
        <Card withBorder>
          <Group gap="xs">
            {me.roles.map(role => (
              <Badge key={role.id} variant="light" tt="none">
                {t(`role.${role.name}` as 'role.operator', { defaultValue: role.name })}
              </Badge>
            ))}
            {me.groups.map(group => (
              <Badge key={group.id} variant="outline" color="dark" tt="none">
                {group.name}
              </Badge>
            ))}
          </Group>
        </Card>
        <Password />
        <Sessions />
      </Stack>
    </>
  )
}

function Password() {
  const { t } = useTranslation()
  const me = useMe()
  const { reload } = useSession()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const change = api.useMutation('post', '/api/v1/session/password', {
    onSuccess: async () => {
      setCurrent('')
      setPassword('')
      notifyDone(t('account.passwordChanged'))
      await reload()
    }
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    change.mutate({ body: { current, password } })
  }
  return (
    <Card withBorder component="form" onSubmit={send}>
      <Stack>
        <Title order={2} size="h4">
          {t('account.password')}
        </Title>
        {me.mustChangePassword ? <Text c="orange">{t('account.mustChange')}</Text> : null}
        <PasswordInput
          label={t('account.current')}
          autoComplete="current-password"
          required
          value={current}
          onChange={event => setCurrent(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
        />
        <PasswordInput
          label={t('account.new')}
          description={t('welcome.hint')}
          autoComplete="new-password"
          required
          maxLength={128}
          value={password}
          onChange={event => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
        />
        <ProblemNote error={change.error} />
        <Group>
          <Button type="submit" loading={change.isPending}>
            {t('account.change')}
          </Button>
        </Group>
      </Stack>
    </Card>
  )
}

function Sessions() {
  const { t } = useTranslation()
  const format = useFormat()
  const sessions = api.useQuery('get', '/api/v1/session/list')
  const end = api.useMutation('delete', '/api/v1/session/list/{id}', {
    onSuccess: () => sessions.refetch(),
    onError: notifyProblem
  })
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        {t('account.sessions')}
      </Title>
      <ProblemNote error={sessions.error} retry={sessions.refetch} />
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('account.since')}</Table.Th>
            <Table.Th>{t('account.lastUsed')}</Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.data?.items.map(session => (
            <Table.Tr key={session.id}>
              <Table.Td>{format.dateTime(session.createdAt)}</Table.Td>
              <Table.Td>{format.ago(session.lastUsedAt)}</Table.Td>
              <Table.Td ta="right">
                {session.current ? (
                  <Badge variant="light">{t('account.here')}</Badge>
                ) : (
                  <Button
                    size="xs"
                    variant="default"
                    loading={end.isPending && end.variables.params.path.id === session.id}
                    onClick={() => end.mutate({ params: { path: { id: session.id } } })}
                  >
                    {t('account.end')}
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  )
}
