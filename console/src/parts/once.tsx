import { Alert, Button, Code, CopyButton, Group, Text } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

/** A secret or a one-time link: it is shown now and never again. */
export function ShownOnce({ title, value }: { title: string; value: string }) {
  const { t } = useTranslation()
  return (
    <Alert color="blue" title={title}>
      <Text size="sm" mb="xs">
        {t('once.text')}
      </Text>
      <Copied value={value} />
    </Alert>
  )
}

/** Something to paste elsewhere, such as a command. */
export function ShownCommand({ title, value }: { title: string; value: string }) {
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        {title}
      </Text>
      <Copied value={value} />
    </div>
  )
}

function Copied({ value }: { value: string }) {
  const { t } = useTranslation()
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <Code block flex={1} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
        {value}
      </Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}>
            {copied ? t('once.copied') : t('once.copy')}
          </Button>
        )}
      </CopyButton>
    </Group>
  )
}
