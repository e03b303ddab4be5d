import { Badge, Button, Card, Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core'
import { IconUsersGroup } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useMay } from '../../session'
import { GroupForm, shownPattern } from './group-form'

export type OperationalGroup = components['schemas']['OperationalGroup']

/** Which jobs somebody sees and works. Each group shows what it covers at this moment. */
export function Groups() {
  const { t } = useTranslation()
  const may = useMay()
  const groups = api.useQuery('get', '/api/v1/groups')
  const [editing, setEditing] = useState<OperationalGroup | 'new'>()
  return (
    <>
      <Group mb="md" justify="space-between">
        <Text size="sm" c="dimmed" maw={640}>
          {t('people.groupsText')}
        </Text>
        {may('groups.manage') ? <Button onClick={() => setEditing('new')}>{t('people.newGroup')}</Button> : null}
      </Group>
      <ProblemNote error={groups.error} retry={groups.refetch} />
      {groups.isPending ? <Skeleton height={200} /> : null}
      {groups.data?.items.length === 0 ? <Empty icon={IconUsersGroup} title={t('people.noGroups')} /> : null}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {groups.data?.items.map(group => (
          <Card withBorder key={group.id}>
            <Stack gap="xs" h="100%">
              <Group justify="space-between">
                <Text fw={700}>{group.name}</Text>
                {may('groups.manage') ? (
                  <Button
                    size="xs"
                    variant="default"
                    onClick={() => setEditing(group)}
                    aria-label={t('people.editGroup', { name: group.name })}
                  >
                    {t('act.edit')}
                  </Button>
                ) : null}
              </Group>
              <Group gap={6}>
                {group.rules.map(rule => (
                  <Badge key={`${rule.kind} ${shownPattern(rule)}`} variant="light" tt="none">
                    {rule.kind === 'all' ? t('rule.all') : `${t(`rule.${rule.kind}`)}: ${shownPattern(rule)}`}
                  </Badge>
                ))}
              </Group>
              <Covered group={group} />
            </Stack>
          </Card>
        ))}
      </SimpleGrid>
      {editing ? (
        <GroupForm
          key={editing === 'new' ? 'new' : editing.id}
          group={editing === 'new' ? undefined : editing}
          close={() => setEditing(undefined)}
        />
      ) : null}
    </>
  )
}

function Covered({ group }: { group: OperationalGroup }) {
  const { t } = useTranslation()
  const jobs = api.useQuery('get', '/api/v1/groups/{id}/jobs', { params: { path: { id: group.id }, query: { limit: 5 } } })
  if (!jobs.data) return <Skeleton height={40} />
  const orders = [...new Set(jobs.data.items.map(item => item.orderNumber))].join(', ')
  return (
    <div>
      <Text size="sm" fw={600}>
        {t('people.covers', { count: jobs.data.count })}
      </Text>
      <Text size="xs" c="dimmed">
        {orders ? t('people.coversSuchAs', { orders }) : ''}
      </Text>
    </div>
  )
}
