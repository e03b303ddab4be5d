import { Badge, Button, Group, Skeleton, Table, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch, IconUsers } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { useFilter } from '../../parts/filter'
import { More } from '../../parts/more'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useRoleName } from '../../parts/role-name'
import { useMay } from '../../session'
import { UserForm } from './user-form'

export type User = components['schemas']['User']

export function Users() {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const roleName = useRoleName()
  const [filter, setFilter] = useFilter(['search'])
  const [search] = useDebouncedValue(filter.search.trim(), 200)
  const [editing, setEditing] = useState<User | 'new'>()
  const users = api.useInfiniteQuery(
    'get',
    '/api/v1/users',
    { params: { query: { limit: 50, ...(search ? { search } : {}) } } },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined, placeholderData: before => before }
  )
  const rows = users.data?.pages.flatMap(page => page.items) ?? []
  return (
    <>
      <Group mb="md" justify="space-between">
        <TextInput
          w={280}
          aria-label={t('people.search')}
          placeholder={t('people.search')}
          leftSection={<IconSearch size={18} />}
          value={filter.search}
          onChange={event => setFilter('search', event.currentTarget.value)}
        />
        {may('users.manage') ? <Button onClick={() => setEditing('new')}>{t('people.newUser')}</Button> : null}
      </Group>
      <ProblemNote error={users.error} retry={users.refetch} />
      <Table.ScrollContainer minWidth={760}>
        <Table highlightOnHover verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('people.user')}</Table.Th>
              <Table.Th>{t('people.roles')}</Table.Th>
              <Table.Th>{t('people.groups')}</Table.Th>
              <Table.Th>{t('people.lastSignIn')}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(user => (
              <Table.Tr key={user.id}>
                <Table.Td>
                  <Text size="sm" fw={600}>
                    {user.name ?? user.username}
                  </Text>
                  <Group gap={6}>
                    <Text size="xs" c="dimmed">
                      {user.username}
                    </Text>
                    {user.active ? null : (
                      <Badge size="sm" color="gray" tt="none">
                        {t('people.inactive')}
                      </Badge>
                    )}
                    {user.invited ? (
                      <Badge size="sm" color="orange" variant="light" tt="none">
                        {t('people.invited')}
                      </Badge>
                    ) : null}
                    {user.employeeId === null ? (
                      <Badge size="sm" variant="default" tt="none">
                        {t('people.noEmployee')}
                      </Badge>
                    ) : null}
                  </Group>
                </Table.Td>
                <Table.Td>{user.roles.map(role => roleName(role.name)).join(', ')}</Table.Td>
                <Table.Td>{user.groups.map(group => group.name).join(', ')}</Table.Td>
                <Table.Td>{user.lastSignInAt ? format.ago(user.lastSignInAt) : t('people.never')}</Table.Td>
                <Table.Td ta="right">
                  {may('users.manage') ? (
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={t('people.editUser', { name: user.name ?? user.username })}
                      onClick={() => setEditing(user)}
                    >
                      {t('act.edit')}
                    </Button>
                  ) : null}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {users.isPending ? <Skeleton height={300} /> : null}
      {users.isSuccess && rows.length === 0 ? <Empty icon={IconUsers} title={t('people.none')} /> : null}
      <More query={users} />
      {editing ? (
        <UserForm
          key={editing === 'new' ? 'new' : editing.id}
          user={editing === 'new' ? undefined : editing}
          close={() => setEditing(undefined)}
        />
      ) : null}
    </>
  )
}
