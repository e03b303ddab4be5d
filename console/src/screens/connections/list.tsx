import { Button, Card, Code, Group, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconPlugConnected, IconPlus } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import { Empty, PageHead } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useMay } from '../../session'
import { ConnectionFacts, ConnectionState, PausedNote } from './connection-facts'
import { type Connection, useAdapterName, useAdapters, waysOf } from './use-connections'

/** One card per connection: whether it lives, what waits, and where the ERP reaches it. */
export function ConnectionList() {
  const { t } = useTranslation()
  const may = useMay()
  const connections = api.useQuery('get', '/api/v1/connections')
  const items = connections.data?.items ?? []
  const begin = may('exchange.configure') ? (
    <Button component={Link} to="/connections/new" size="md" leftSection={<IconPlus size={18} />}>
      {t('connections.connect')}
    </Button>
  ) : null
  return (
    <>
      <PageHead title={t('connections.title')} note={t('connections.note')}>
        {items.length > 0 ? begin : null}
      </PageHead>
      <ProblemNote error={connections.error} retry={connections.refetch} />
      {connections.isPending ? (
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          <Skeleton height={250} radius="md" />
          <Skeleton height={250} radius="md" />
        </SimpleGrid>
      ) : null}
      {connections.isSuccess && items.length === 0 ? (
        <Empty icon={IconPlugConnected} title={t('connections.empty')} action={begin}>
          {t('connections.emptyText')}
        </Empty>
      ) : null}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {items.map(connection => (
          <ConnectionCard key={connection.id} connection={connection} />
        ))}
      </SimpleGrid>
    </>
  )
}

function ConnectionCard({ connection }: { connection: Connection }) {
  const { t } = useTranslation()
  const may = useMay()
  const adapterName = useAdapterName()
  const draft = connection.state === 'draft' && may('exchange.configure')
  return (
    <Card withBorder padding="lg" component="article" aria-label={connection.name}>
      <Stack gap="md" h="100%">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Title order={2} size="h4">
              <Text
                component={Link}
                inherit
                c="light-dark(var(--mantine-color-blue-6), var(--mantine-color-blue-3))"
                to={`/connections/${connection.id}`}
              >
                {connection.name}
              </Text>
            </Title>
            <Text size="sm" c="dimmed">
              {adapterName(connection.adapter)}
            </Text>
          </div>
          <ConnectionState state={connection.state} />
        </Group>
        <PausedNote connection={connection} />
        <ConnectionFacts connection={connection} />
        <Addresses connection={connection} />
        {draft ? (
          <Group mt="auto">
            <Button component={Link} to={`/connections/new/${connection.id}`} variant="light">
              {t('connections.goOn')}
            </Button>
          </Group>
        ) : null}
      </Stack>
    </Card>
  )
}

/** Where the ERP brings and fetches; only the ways that the adapter has. */
export function Addresses({ connection }: { connection: Connection }) {
  const { t } = useTranslation()
  const { items } = useAdapters()
  const door = api.useQuery('get', '/api/v1/sftp-door', {}, { staleTime: 600_000 })
  const ways = waysOf(items?.find(({ id }) => id === connection.adapter))
  if (!items || !door.data) return <Skeleton height={24} />
  return (
    <Stack gap={4}>
      {ways.has('file') ? (
        <Group gap="xs" wrap="nowrap">
          <Text size="xs" c="dimmed" w={80}>
            {t('connections.sftp')}
          </Text>
          <Code>{`${door.data.host}:${door.data.port}`}</Code>
        </Group>
      ) : null}
      {ways.has('http') ? (
        <Group gap="xs" wrap="nowrap">
          <Text size="xs" c="dimmed" w={80}>
            {t('connections.web')}
          </Text>
          <Code style={{ overflowWrap: 'anywhere' }}>{`${location.origin}/erp/v1/${connection.id}`}</Code>
        </Group>
      ) : null}
    </Stack>
  )
}
