import { Alert, Group, Select, Skeleton, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconCheck, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { ProblemNote } from '../../parts/problem'
import { usePermissionText, useRoleName } from '../../parts/role-name'
import { useMay } from '../../session'

/** "Why can Jan not see this order?": the part of the roles and the part of the groups, each by itself. */
export function Why() {
  const { t } = useTranslation()
  const may = useMay()
  const textOf = usePermissionText()
  const roleName = useRoleName()
  const [userId, setUserId] = useState<string | null>(null)
  const [permission, setPermission] = useState<string | null>(null)
  const [jobId, setJobId] = useState<string | null>(null)
  const [search, setSearch] = useState('')
  const [searched] = useDebouncedValue(search.trim(), 250)
  const users = api.useQuery('get', '/api/v1/users', { params: { query: { limit: 200 } } }, { enabled: may('users.read') })
  const catalogue = api.useQuery('get', '/api/v1/permissions', {}, { enabled: may('roles.read') })
  const jobs = api.useQuery(
    'get',
    '/api/v1/jobs',
    { params: { query: { limit: 20, ...(searched ? { search: searched } : {}) } } },
    { enabled: may('jobs.read'), placeholderData: before => before }
  )
  const why = api.useQuery(
    'get',
    '/api/v1/why',
    { params: { query: { userId: userId ?? '', permission: permission ?? '', ...(jobId ? { jobId } : {}) } } },
    { enabled: userId !== null && permission !== null }
  )
  return (
    <Stack maw={680}>
      <Text size="sm" c="dimmed">
        {t('why.text')}
      </Text>
      <Select
        label={t('why.user')}
        searchable
        data={users.data?.items.map(user => ({ value: user.id, label: user.name ?? user.username })) ?? []}
        value={userId}
        onChange={setUserId}
      />
      <Select
        label={t('why.permission')}
        searchable
        data={catalogue.data?.items.map(item => ({ value: item.permission, label: textOf(item.permission, item.allows) })) ?? []}
        value={permission}
        onChange={setPermission}
      />
      <Select
        label={t('why.job')}
        description={t('why.jobHint')}
        searchable
        clearable
        searchValue={search}
        onSearchChange={setSearch}
        filter={({ options }) => options}
        data={jobs.data?.items.map(job => ({ value: job.id, label: `${job.orderNumber} / ${job.number} · ${job.description}` })) ?? []}
        value={jobId}
        onChange={setJobId}
      />
      <ProblemNote error={why.error} />
      {why.isFetching && !why.data ? <Skeleton height={120} /> : null}
      {why.data ? (
        <Stack gap="xs" role="status">
          <Alert
            color={why.data.answer ? 'teal' : 'red'}
            icon={why.data.answer ? <IconCheck /> : <IconX />}
            title={why.data.answer ? t('why.may') : t('why.mayNot')}
          >
            <Part
              ok={why.data.role.ok}
              yes={t('why.roleYes', { roles: why.data.role.roles.map(roleName).join(', ') })}
              no={t('why.roleNo')}
              sentence={why.data.role.sentence}
            />
            {why.data.group ? (
              <Part
                ok={why.data.group.ok}
                yes={t('why.groupYes', { groups: why.data.group.groups.join(', ') })}
                no={t('why.groupNo')}
                sentence={why.data.group.sentence}
              />
            ) : null}
          </Alert>
        </Stack>
      ) : null}
    </Stack>
  )
}

function Part({ ok, yes, no, sentence }: { ok: boolean; yes: string; no: string; sentence: string }) {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start" mb={6}>
      {ok ? (
        <IconCheck aria-hidden size={18} color="var(--mantine-color-teal-light-color)" />
      ) : (
        <IconX aria-hidden size={18} color="var(--mantine-color-error)" />
      )}
      <div>
        <Text size="sm">{ok ? yes : no}</Text>
        <Text size="xs" c="dimmed" lang="en">
          {sentence}
        </Text>
      </div>
    </Group>
  )
}
