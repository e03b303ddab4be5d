import { Badge, Button, Group, Modal, MultiSelect, NumberInput, Skeleton, Stack, Table, TagsInput, Text, TextInput } from '@mantine/core'
import { IconKey } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { Confirm } from '../../parts/confirm'
import { ShownOnce } from '../../parts/once'
import { Empty } from '../../parts/page'
import { notifyProblem, ProblemNote } from '../../parts/problem'
import { PermissionList } from './permission-list'

/** Keys for programs: what they may do, for which jobs, from where and until when. */
export function ApiKeys() {
  const { t } = useTranslation()
  const format = useFormat()
  const queries = useQueryClient()
  const keys = api.useQuery('get', '/api/v1/api-keys')
  const [making, setMaking] = useState(false)
  const revoke = api.useMutation('delete', '/api/v1/api-keys/{id}', {
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/api-keys'] }),
    onError: notifyProblem
  })
  const now = Date.now()
  return (
    <>
      <Group mb="md" justify="space-between">
        <Text size="sm" c="dimmed" maw={640}>
          {t('keys.text')}
        </Text>
        <Button onClick={() => setMaking(true)}>{t('keys.new')}</Button>
      </Group>
      <ProblemNote error={keys.error} retry={keys.refetch} />
      {keys.isPending ? <Skeleton height={160} /> : null}
      {keys.data?.items.length === 0 ? (
        <Empty icon={IconKey} title={t('keys.empty')}>
          {t('keys.emptyText')}
        </Empty>
      ) : (
        <Table.ScrollContainer minWidth={640}>
          <Table verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('keys.name')}</Table.Th>
                <Table.Th>{t('people.permissions')}</Table.Th>
                <Table.Th>{t('keys.until')}</Table.Th>
                <Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {keys.data?.items.map(key => {
                const over = key.revokedAt !== null || Date.parse(key.expiresAt) < now
                return (
                  <Table.Tr key={key.id} c={over ? 'dimmed' : undefined}>
                    <Table.Td fw={600}>{key.name}</Table.Td>
                    <Table.Td>
                      {key.permissions.join(', ')}
                      <Text size="xs" c="dimmed">
                        {key.addresses.length > 0 ? key.addresses.join(', ') : t('keys.anyAddress')}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      {format.date(key.expiresAt)}
                      {over ? (
                        <Badge ml="xs" size="sm" color="gray" tt="none">
                          {key.revokedAt ? t('keys.revoked') : t('keys.expired')}
                        </Badge>
                      ) : null}
                    </Table.Td>
                    <Table.Td ta="right">
                      {over ? null : (
                        <Confirm
                          title={t('keys.revokeTitle', { name: key.name })}
                          action={t('keys.revoke')}
                          busy={revoke.isPending}
                          onConfirm={() => revoke.mutate({ params: { path: { id: key.id } } })}
                          target={ask => (
                            <Button size="xs" variant="default" aria-label={t('keys.revokeOf', { name: key.name })} onClick={ask}>
                              {t('keys.revoke')}
                            </Button>
                          )}
                        >
                          {t('keys.revokeText')}
                        </Confirm>
                      )}
                    </Table.Td>
                  </Table.Tr>
                )
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {making ? <NewKey close={() => setMaking(false)} /> : null}
    </>
  )
}

function NewKey({ close }: { close: () => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [permissions, setPermissions] = useState<string[]>([])
  const [groupIds, setGroupIds] = useState<string[]>([])
  const [addresses, setAddresses] = useState<string[]>([])
  const [days, setDays] = useState<string | number>(90)
  const [key] = useState(newKey)
  const groups = api.useQuery('get', '/api/v1/groups')
  const create = api.useMutation('post', '/api/v1/api-keys', {
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/api-keys'] })
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (typeof days === 'number') create.mutate({ headers: key, body: { name: name.trim(), permissions, groupIds, addresses, days } })
  }
  return (
    <Modal opened onClose={close} size="xl" title={t('keys.new')} closeButtonProps={{ 'aria-label': t('act.close') }}>
      {create.data?.key ? (
        <Stack>
          <ShownOnce title={t('keys.made', { name })} value={create.data.key} />
          <Button onClick={close}>{t('act.close')}</Button>
        </Stack>
      ) : (
        <form onSubmit={send}>
          <Stack>
            <TextInput
              label={t('keys.name')}
              required
              maxLength={60}
              data-autofocus
              value={name}
              onChange={event => setName(event.currentTarget.value)}
            />
            <NumberInput label={t('keys.days')} required min={1} max={730} allowDecimal={false} value={days} onChange={setDays} />
            <MultiSelect
              label={t('people.groups')}
              description={t('people.groupsHint')}
              data={groups.data?.items.map(group => ({ value: group.id, label: group.name })) ?? []}
              value={groupIds}
              onChange={setGroupIds}
            />
            <TagsInput label={t('keys.addresses')} description={t('keys.addressesHint')} value={addresses} onChange={setAddresses} />
            <PermissionList held={permissions} change={setPermissions} />
            <ProblemNote error={create.error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {t('act.cancel')}
              </Button>
              <Button type="submit" loading={create.isPending}>
                {t('keys.make')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
