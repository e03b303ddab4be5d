import { Button, Menu } from '@mantine/core'
import { IconCoffee } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { isWaiting } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { useFloor } from './floor-context'

/** Work that belongs to no job, such as cleaning: one at a time. */
export function OtherWork({ running }: { running: boolean }) {
  const { t } = useTranslation()
  const { act } = useFloor()
  const { acts } = useActs()
  const codes = api.useQuery('get', '/api/v1/activity-codes', {}, { staleTime: 300_000 })
  const offered = codes.data?.items.filter(code => code.active && code.kind === 'indirect') ?? []
  const starting = acts.some(one => one.request.kind === 'startOther' && isWaiting(one))
  if (running || offered.length === 0) return null
  return (
    <Menu position="bottom-start" width="target">
      <Menu.Target>
        <Button variant="default" size="md" fullWidth loading={starting} leftSection={<IconCoffee size={20} />}>
          {t('floor.otherWork')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {offered.map(code => (
          <Menu.Item
            key={code.code}
            py={12}
            onClick={() => act({ kind: 'startOther', jobId: null, body: { activityCode: code.code } }, code.name)}
          >
            {code.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
