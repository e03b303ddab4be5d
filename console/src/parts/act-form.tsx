import { Button, Group, Modal, Stack } from '@mantine/core'
import type { FormEvent, ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ProblemNote } from './problem'

/** Frame of a small form in a dialog: Enter sends, Esc closes, a refusal stays above the buttons. */
export function ActForm({
  title,
  action,
  error,
  busy,
  send,
  close,
  children
}: {
  title: string
  action: string
  error: unknown
  busy: boolean
  send: () => void
  close: () => void
  children: ReactNode
}) {
  const { t } = useTranslation()
  return (
    <Modal opened onClose={close} title={title} centered closeButtonProps={{ 'aria-label': t('act.close') }}>
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          send()
        }}
      >
        <Stack>
          {children}
          <ProblemNote error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('act.cancel')}
            </Button>
            <Button type="submit" loading={busy}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
