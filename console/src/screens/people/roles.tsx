import { Badge, Button, Group, Skeleton, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { ProblemNote } from '../../parts/problem'
import { useRoleName } from '../../parts/role-name'
import { useMay } from '../../session'
import { RoleForm } from './role-form'

export type Role = components['schemas']['Role']

export function Roles() {
  const { t } = useTranslation()
  const may = useMay()
  const roleName = useRoleName()
  const roles = api.useQuery('get', '/api/v1/roles')
  const [open, setOpen] = useState<Role | 'new'>()
  return (
    <>
      <Group mb="md" justify="space-between">
        <Text size="sm" c="dimmed" maw={640}>
          {t('people.rolesText')}
        </Text>
        {may('roles.manage') ? <Button onClick={() => setOpen('new')}>{t('people.newRole')}</Button> : null}
      </Group>
      <ProblemNote error={roles.error} retry={roles.refetch} />
      {roles.isPending ? <Skeleton height={300} /> : null}
      <Table.ScrollContainer minWidth={420}>
        <Table verticalSpacing="sm" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('people.role')}</Table.Th>
              <Table.Th ta="right">{t('people.permissions')}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {roles.data?.items.map(role => (
              <Table.Tr key={role.id}>
                <Table.Td>
                  <Group gap="xs">
                    <Text size="sm" fw={600}>
                      {roleName(role.name)}
                    </Text>
                    {role.builtIn ? (
                      <Badge size="sm" variant="light" color="gray" tt="none">
                        {t('people.builtIn')}
                      </Badge>
                    ) : null}
                  </Group>
                </Table.Td>
                <Table.Td ta="right">{role.permissions.length}</Table.Td>
                <Table.Td ta="right">
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={t(role.builtIn || !may('roles.manage') ? 'people.showRole' : 'people.editUser', {
                      name: roleName(role.name)
                    })}
                    onClick={() => setOpen(role)}
                  >
                    {role.builtIn || !may('roles.manage') ? t('act.show') : t('act.edit')}
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {open ? (
        <RoleForm key={open === 'new' ? 'new' : open.id} role={open === 'new' ? undefined : open} close={() => setOpen(undefined)} />
      ) : null}
    </>
  )
}
