import { Card, Group, SimpleGrid, Skeleton, Text, ThemeIcon } from '@mantine/core'
import { IconAlertTriangle, IconCalendarX, IconPlayerPlay, IconPlugConnectedX } from '@tabler/icons-react'
import type { ComponentType } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { ProblemNote } from '../../parts/problem'
import { useMay } from '../../session'

type Connection = components['schemas']['Connection']

/** The figures that ask for a person, each leading to the list behind it. */
export function Tiles() {
  const { t } = useTranslation()
  const may = useMay()
  const format = useFormat()
  const exchange = may('exchange.read')
  const progress = api.useQuery('get', '/api/v1/orders/progress')
  const connections = api.useQuery('get', '/api/v1/connections', {}, { enabled: exchange })
  const running = progress.data?.items.reduce((sum, one) => sum + one.started, 0)
  const late = progress.data?.lateOrders
  const items = connections.data?.items
  const open = items?.reduce((sum, one) => sum + one.openRejects, 0)
  const troubled = items?.filter(one => one.state === 'paused' || isSilent(one))
  const first = troubled?.[0]
  const trouble = first
    ? first.state === 'paused'
      ? t('overview.pausedName', { name: first.name })
      : t('overview.silentName', { name: first.name, ago: format.ago(lastHeard(first)) })
    : items?.length === 0
      ? t('overview.noConnection')
      : t('overview.allHeard')
  return (
    <>
      <ProblemNote error={progress.error ?? connections.error} retry={progress.error ? progress.refetch : connections.refetch} />
      <SimpleGrid cols={{ base: 2, md: exchange ? 4 : 2 }}>
        <Tile
          icon={IconPlayerPlay}
          color="green"
          label={t('overview.running')}
          count={running}
          note={t('overview.runningNote')}
          to="/orders?status=started"
        />
        <Tile
          icon={IconCalendarX}
          color={late ? 'red' : 'gray'}
          label={t('overview.late')}
          count={late}
          note={late ? t('overview.lateNote') : t('overview.noneLate')}
          to="/orders?late=1&sort=due"
        />
        {exchange ? (
          <>
            <Tile
              icon={IconAlertTriangle}
              color={open ? 'orange' : 'gray'}
              label={t('overview.open')}
              count={open}
              note={open ? t('overview.openNote') : t('overview.noneOpen')}
              to="/errors"
            />
            <Tile
              icon={IconPlugConnectedX}
              color={first ? 'orange' : 'gray'}
              label={t('overview.troubled')}
              count={troubled?.length}
              note={trouble}
              to={first && troubled?.length === 1 ? `/connections/${first.id}` : '/connections'}
            />
          </>
        ) : null}
      </SimpleGrid>
    </>
  )
}

function Tile({
  icon: Icon,
  color,
  label,
  count,
  note,
  to
}: {
  icon: ComponentType<{ size?: number }>
  color: string
  label: string
  count: number | undefined
  note: string
  to: string
}) {
  const format = useFormat()
  return (
    <Card withBorder padding="md" component={Link} to={to} c="inherit">
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
        <Text size="sm">{label}</Text>
        <ThemeIcon variant="light" color={color} aria-hidden visibleFrom="xs">
          <Icon size={20} />
        </ThemeIcon>
      </Group>
      {count === undefined ? (
        <Skeleton height={35} width={60} my={6} />
      ) : (
        <Text fz={34} lh="47px" fw={700} className="figures">
          {format.count(count)}
        </Text>
      )}
      <Text size="xs" c="dimmed" lineClamp={2} mih="2lh">
        {count === undefined ? ' ' : note}
      </Text>
    </Card>
  )
}

const silentMs = 86_400_000

const lastHeard = (one: Connection): string => one.lastInAt ?? one.createdAt

/** An ERP that says nothing for a day; no deliveries is what a broken export looks like. */
const isSilent = (one: Connection): boolean => one.state === 'active' && Date.now() - Date.parse(lastHeard(one)) > silentMs
