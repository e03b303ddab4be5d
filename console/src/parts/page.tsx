import { Box, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { type ComponentType, type ReactNode, useEffect } from 'react'

/** Title row of a screen, with its actions at the right. The document's title follows. */
export function PageHead({ title, children, note }: { title: string; note?: ReactNode; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Werkvloer`
  }, [title])
  return (
    <Group justify="space-between" align="center" mb="md" gap="sm">
      <Box>
        <Title order={1} size="h2">
          {title}
        </Title>
        {note ? (
          <Text c="dimmed" size="sm">
            {note}
          </Text>
        ) : null}
      </Box>
      <Group gap="xs">{children}</Group>
    </Group>
  )
}

/** Says why there is nothing, and what makes something appear here. */
export function Empty({
  icon: Icon,
  title,
  children,
  action
}: {
  icon: ComponentType<{ size?: number; stroke?: number }>
  title: string
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" ta="center">
      <ThemeIcon size={64} radius="xl" variant="light" color="gray">
        <Icon size={34} stroke={1.4} />
      </ThemeIcon>
      <Text fw={600}>{title}</Text>
      {children ? (
        <Text c="dimmed" size="sm" maw={460}>
          {children}
        </Text>
      ) : null}
      {action}
    </Stack>
  )
}
