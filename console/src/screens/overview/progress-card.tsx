import { Button, Card, ColorSwatch, Skeleton, Stack, Table, Text, Title } from '@mantine/core'
import { IconClipboardList } from '@tabler/icons-react'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { Empty } from '../../parts/page'
import { useMay, useMe } from '../../session'
import { bars, linkColor, plotHeight } from './looks'
import classes from './overview.module.css'

const Bars = lazy(bars)

type Line = components['schemas']['OrderProgress']['items'][number]

/** From done to not begun, so that a bar grows from the left. Each has 3:1 against a light and a dark ground. */
const states = [
  { name: 'completed', color: 'gray.6' },
  { name: 'started', color: 'green.8' },
  { name: 'paused', color: 'orange.7' },
  { name: 'waiting', color: 'blue.5' }
] as const

/** Jobs by state, a bar and a line per department. */
export function ProgressCard() {
  const { t } = useTranslation()
  const progress = api.useQuery('get', '/api/v1/orders/progress')
  const lines = progress.data?.items ?? []
  const series = states.map(({ name, color }) => ({ name, color, label: t(`overview.state.${name}`) }))
  return (
    <Card withBorder p={{ base: 'sm', sm: 'lg' }} component="section" aria-labelledby="overview-progress" mih={420}>
      <Title order={2} size="h4" id="overview-progress" mb="md" lh="36px">
        {t('overview.progress')}
      </Title>
      {progress.isPending ? <Skeleton height={320} /> : null}
      {progress.isSuccess && lines.length === 0 ? <NoWork /> : null}
      {lines.length > 0 ? (
        <Stack gap="sm">
          <Suspense fallback={<Skeleton height={plotHeight(lines.length)} />}>
            <Bars rows={lines.map(line => ({ ...line, name: '', label: line.department }))} series={series} />
          </Suspense>
          <Lines lines={lines} />
        </Stack>
      ) : null}
    </Card>
  )
}

function Lines({ lines }: { lines: readonly Line[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  return (
    <Table.ScrollContainer minWidth={300}>
      <Table verticalSpacing={0} horizontalSpacing={4} aria-labelledby="overview-progress">
        <Table.Thead>
          <Table.Tr>
            <Table.Th className={classes.word ?? ''}>{t('orders.department')}</Table.Th>
            {states.map(({ name, color }) => (
              <Table.Th key={name} ta="right">
                <span className={classes.key}>
                  <ColorSwatch aria-hidden size={10} withShadow={false} color={`var(--mantine-color-${color.replace('.', '-')})`} />
                  {t(`overview.state.${name}`)}
                </span>
              </Table.Th>
            ))}
            <Table.Th ta="right" className={classes.word ?? ''}>
              {t('overview.state.late')}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map(line => {
            const to = `/orders?department=${encodeURIComponent(line.department)}`
            return (
              <Table.Tr key={line.department}>
                <Table.Th scope="row" fw={400}>
                  <Text component={Link} to={to} size="sm" fw={600} c={linkColor} lh="44px">
                    {line.department}
                  </Text>
                  {line.name && line.name !== line.department ? (
                    <Text size="xs" c="dimmed">
                      {line.name}
                    </Text>
                  ) : null}
                </Table.Th>
                {states.map(({ name }) => (
                  <Table.Td key={name} ta="right">
                    {format.count(line[name])}
                  </Table.Td>
                ))}
                <Table.Td ta="right">
                  {line.late > 0 ? (
                    <Text
                      component={Link}
                      to={`${to}&late=1&sort=due`}
                      size="sm"
                      fw={600}
                      c="var(--mantine-color-error)"
                      td="underline"
                      lh="44px"
                      aria-label={t('overview.lateIn', { count: line.late, department: line.department })}
                    >
                      {format.count(line.late)}
                    </Text>
                  ) : (
                    format.count(0)
                  )}
                </Table.Td>
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** Nothing is there for one of three reasons, and each has its own way on. */
function NoWork() {
  const { t } = useTranslation()
  const may = useMay()
  const { groups } = useMe()
  if (groups.length === 0) {
    return (
      <Empty icon={IconClipboardList} title={t('overview.noGroup')}>
        {t('overview.noGroupText')}
      </Empty>
    )
  }
  return (
    <Empty
      icon={IconClipboardList}
      title={t('overview.noWork')}
      action={
        may('exchange.read') ? (
          <Button component={Link} to="/connections" variant="light" mt="xs">
            {t('overview.toConnections')}
          </Button>
        ) : null
      }
    >
      {t('overview.noWorkText')}
    </Empty>
  )
}
