import { Button, Group, Modal, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

/**
 * For what cannot be undone: says what will happen and asks once. `target` gets the function that opens the question.
 */
export function Confirm({
  title,
  children,
  action,
  busy,
  onConfirm,
  target
}: {
  title: string
  children: ReactNode
  /** The verb on the button, never "OK". */
  action: string
  busy?: boolean
  onConfirm: () => unknown
  target: (ask: () => void) => ReactNode
}) {
  const { t } = useTranslation()
  const [opened, { open, close }] = useDisclosure(false)
  return (
    <>
      {target(open)}
      <Modal opened={opened} onClose={close} title={title} centered closeButtonProps={{ 'aria-label': t('act.close') }}>
        <Text size="sm">{children}</Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={close} data-autofocus>
            {t('act.cancel')}
          </Button>
          <Button
            color="red"
            loading={busy ?? false}
            onClick={async () => {
              await onConfirm()
              close()
            }}
          >
            {action}
          </Button>
        </Group>
      </Modal>
    </>
  )
}
