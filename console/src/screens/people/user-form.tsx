import { Button, Group, Modal, MultiSelect, Stack, Switch, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { newKey } from '../../parts/act'
import { ShownOnce } from '../../parts/once'
import { notifyDone, ProblemNote } from '../../parts/problem'
import { useRoleName } from '../../parts/role-name'
import type { User } from './users'

/** A new user, or what can be changed of one. A new one gets a one-time link to choose a password. */
export function UserForm({ user, close }: { user: User | undefined; close: () => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const roleName = useRoleName()
  const [username, setUsername] = useState('')
  const [name, setName] = useState(user?.name ?? '')
  const [employeeNumber, setEmployeeNumber] = useState('')
  const [roleIds, setRoleIds] = useState(user?.roles.map(role => role.id) ?? [])
  const [groupIds, setGroupIds] = useState(user?.groups.map(group => group.id) ?? [])
  const [active, setActive] = useState(user?.active ?? true)
  const [link, setLink] = useState<string>()
  const [key] = useState(newKey)
  const roles = api.useQuery('get', '/api/v1/roles')
  const groups = api.useQuery('get', '/api/v1/groups')
  const changed = () => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/users'] })
  const created = (answer: { inviteLink: string | null }) => {
    changed()
    if (answer.inviteLink) setLink(answer.inviteLink)
    else close()
  }
  const create = api.useMutation('post', '/api/v1/users', { onSuccess: created })
  const invite = api.useMutation('post', '/api/v1/users/{id}/invitation', { onSuccess: created })
  const change = api.useMutation('patch', '/api/v1/users/{id}', {
    onSuccess: () => {
      changed()
      notifyDone(t('people.saved'))
      close()
    }
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    const given = { roleIds, groupIds, ...(employeeNumber.trim() ? { employeeNumber: employeeNumber.trim() } : {}) }
    if (user) change.mutate({ params: { path: { id: user.id } }, body: { ...given, name: name.trim() || null, active } })
    else create.mutate({ headers: key, body: { ...given, username: username.trim(), ...(name.trim() ? { name: name.trim() } : {}) } })
  }
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={user ? t('people.editUser', { name: user.name ?? user.username }) : t('people.newUser')}
      closeButtonProps={{ 'aria-label': t('act.close') }}
    >
      {link ? (
        <Stack>
          <ShownOnce title={t('people.linkTitle')} value={link} />
          <Button onClick={close}>{t('act.close')}</Button>
        </Stack>
      ) : (
        <form onSubmit={send}>
          <Stack>
            {user ? null : (
              <TextInput
                label={t('people.username')}
                description={t('people.usernameHint')}
                required
                minLength={2}
                maxLength={60}
                autoCapitalize="none"
                data-autofocus
                value={username}
                onChange={event => setUsername(event.currentTarget.value)}
              />
            )}
            <TextInput label={t('people.name')} maxLength={120} value={name} onChange={event => setName(event.currentTarget.value)} />
            <TextInput
              label={t('people.employeeNumber')}
              description={user?.employeeId ? t('people.employeeLinked') : t('people.employeeHint')}
              maxLength={40}
              value={employeeNumber}
              onChange={event => setEmployeeNumber(event.currentTarget.value)}
            />
            <MultiSelect
              label={t('people.roles')}
              description={t('people.rolesHint')}
              data={roles.data?.items.map(role => ({ value: role.id, label: roleName(role.name) })) ?? []}
              value={roleIds}
              onChange={setRoleIds}
              hidePickedOptions
            />
            <MultiSelect
              label={t('people.groups')}
              description={t('people.groupsHint')}
              data={groups.data?.items.map(group => ({ value: group.id, label: group.name })) ?? []}
              value={groupIds}
              onChange={setGroupIds}
              hidePickedOptions
            />
            {user ? (
              <Switch label={t('people.active')} checked={active} onChange={event => setActive(event.currentTarget.checked)} />
            ) : null}
            <ProblemNote error={create.error ?? change.error ?? invite.error} />
            <Group justify="space-between">
              {user ? (
                <Button
                  variant="default"
                  loading={invite.isPending}
                  onClick={() => invite.mutate({ params: { path: { id: user.id } }, headers: newKey() })}
                >
                  {t('people.newLink')}
                </Button>
              ) : (
                <span />
              )}
              <Group>
                <Button variant="default" onClick={close}>
                  {t('act.cancel')}
                </Button>
                <Button type="submit" loading={create.isPending || change.isPending}>
                  {t('act.save')}
                </Button>
              </Group>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
