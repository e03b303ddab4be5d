import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { newKey } from '../../parts/act'
import { Confirm } from '../../parts/confirm'
import { notifyDone, ProblemNote } from '../../parts/problem'
import { useRoleName } from '../../parts/role-name'
import { useMay } from '../../session'
import { PermissionList } from './permission-list'
import type { Role } from './roles'

export function RoleForm({ role, close }: { role: Role | undefined; close: () => void }) {
  const { t } = useTranslation()
  const may = useMay()
  const queries = useQueryClient()
  const roleName = useRoleName()
  const [name, setName] = useState('')
  const [held, setHeld] = useState<string[]>([...(role?.permissions ?? [])])
  const [key] = useState(newKey)
  const fixed = role?.builtIn === true || !may('roles.manage')
  const done = () => {
    void queries.invalidateQueries({ queryKey: ['get', '/api/v1/roles'] })
    notifyDone(t('people.saved'))
    close()
  }
  const create = api.useMutation('post', '/api/v1/roles', { onSuccess: done })
  const change = api.useMutation('put', '/api/v1/roles/{id}', { onSuccess: done })
  const remove = api.useMutation('delete', '/api/v1/roles/{id}', { onSuccess: done })
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (role) change.mutate({ params: { path: { id: role.id } }, body: { version: role.version, permissions: held } })
    else create.mutate({ headers: key, body: { name: name.trim(), permissions: held } })
  }
  return (
    <Modal
      opened
      onClose={close}
      size="xl"
      title={role ? roleName(role.name) : t('people.newRole')}
      closeButtonProps={{ 'aria-label': t('act.close') }}
    >
      <form onSubmit={send}>
        <Stack>
          {role ? null : (
            <TextInput
              label={t('people.roleName')}
              required
              maxLength={60}
              data-autofocus
              value={name}
              onChange={event => setName(event.currentTarget.value)}
            />
          )}
          {fixed ? <PermissionList held={held} /> : <PermissionList held={held} change={setHeld} />}
          <ProblemNote error={create.error ?? change.error ?? remove.error} />
          {fixed ? (
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {t('act.close')}
              </Button>
            </Group>
          ) : (
            <Group justify="space-between">
              {role ? (
                <Confirm
                  title={t('people.removeRole', { name: role.name })}
                  action={t('act.remove')}
                  busy={remove.isPending}
                  onConfirm={() => remove.mutate({ params: { path: { id: role.id }, query: { version: role.version } } })}
                  target={ask => (
                    <Button variant="subtle" color="red" onClick={ask}>
                      {t('act.remove')}
                    </Button>
                  )}
                >
                  {t('people.removeRoleText')}
                </Confirm>
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
          )}
        </Stack>
      </form>
    </Modal>
  )
}
