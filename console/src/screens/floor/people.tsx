import { Button, Group, Select, Stack, Text } from '@mantine/core'
import { IconPlayerPauseFilled } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import type { Job } from '../../parts/acts'
import { useEmployeeNames } from '../../parts/employees'
import { useMay, useMe } from '../../session'
import { aboutJob, useFloor } from './floor-context'
import { isOpen } from './use-floor'

/** Who else works on the job; who may book for others stops and starts them here. */
export function People({ job }: { job: Job }) {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const { employeeId } = useMe()
  const { act } = useFloor()
  const nameOf = useEmployeeNames()
  const lead = may('hours.book')
  const others = job.running.filter(one => one.employeeId !== employeeId)
  const employees = api.useQuery(
    'get',
    '/api/v1/employees',
    { params: { query: { limit: 200 } } },
    { enabled: lead && may('employees.read'), staleTime: 300_000 }
  )
  const free = employees.data?.items.filter(
    one => one.active && one.id !== employeeId && !others.some(other => other.employeeId === one.id)
  )
  if (others.length === 0 && !free) return null
  return (
    <Stack gap="xs">
      {others.length > 0 && !lead ? <Text size="sm">{t('floor.others', { count: others.length })}</Text> : null}
      {lead
        ? others.map(one => (
            <Group key={one.employeeId} justify="space-between" wrap="nowrap">
              <Text>
                {nameOf(one.employeeId) || t('hours.unnamed')} · {t('hours.since', { time: format.time(one.since) })}
              </Text>
              <Button
                variant="default"
                size="md"
                leftSection={<IconPlayerPauseFilled size={18} />}
                aria-label={t('floor.pausePerson', { name: nameOf(one.employeeId) })}
                onClick={() => act({ kind: 'pause', jobId: job.id, body: { employeeIds: [one.employeeId] } }, aboutJob(job))}
              >
                {t('floor.pause')}
              </Button>
            </Group>
          ))
        : null}
      {free && free.length > 0 && isOpen(job) ? (
        <Select
          size="md"
          searchable
          value={null}
          aria-label={t('floor.startPerson')}
          placeholder={t('floor.startPerson')}
          data={free.map(one => ({ value: one.id, label: [one.number, one.name].filter(Boolean).join(' · ') }))}
          onChange={id => {
            if (id) act({ kind: 'start', jobId: job.id, body: { employeeIds: [id] } }, aboutJob(job))
          }}
        />
      ) : null}
    </Stack>
  )
}
