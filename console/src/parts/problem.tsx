import { Alert, Button, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconAlertCircle, IconPlugConnectedX } from '@tabler/icons-react'
import i18next from 'i18next'
import { useTranslation } from 'react-i18next'
import { isProblem } from '../api/client'

/** What went wrong and what to do, by the stable code in the reader's language; when the server was not reached, that. */
export function problemText(error: unknown): string {
  if (isProblem(error)) return i18next.t(`refusal.${error.code}` as 'refusal.internal', { defaultValue: error.title })
  return i18next.t('problem.unreachable')
}

/** The particulars (which order, which field): the server writes them in English. */
function Particulars({ error }: { error: unknown }) {
  return isProblem(error) ? (
    <Text size="xs" c="dimmed" lang="en">
      {error.detail}
    </Text>
  ) : null
}

/** A refusal in its place on the screen. */
export function ProblemNote({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { t, i18n } = useTranslation()
  if (!error) return null
  const known = isProblem(error)
  return (
    <Alert
      color="red"
      role="alert"
      icon={known ? <IconAlertCircle /> : <IconPlugConnectedX />}
      title={known ? (i18n.language === 'en' ? error.title : t('problem.refused')) : t('problem.noAnswer')}
    >
      <Text size="sm">{problemText(error)}</Text>
      {known && error.status >= 500 && error.instance ? (
        <Text size="xs" c="dimmed" mt={4}>
          {t('problem.requestId', { id: error.instance })}
        </Text>
      ) : null}
      {retry ? (
        <Button mt="sm" size="xs" variant="default" onClick={retry}>
          {t('act.again')}
        </Button>
      ) : null}
    </Alert>
  )
}

const closeButton = () => ({ 'aria-label': i18next.t('act.close') })

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'green', withBorder: true, closeButtonProps: closeButton() })
}

/** For acts whose form is gone already; in a form, show a ProblemNote. */
export function notifyProblem(error: unknown): void {
  notifications.show({
    title: isProblem(error) ? problemText(error) : i18next.t('problem.noAnswer'),
    message: isProblem(error) ? <Particulars error={error} /> : problemText(error),
    color: 'red',
    withBorder: true,
    autoClose: false,
    closeButtonProps: closeButton()
  })
}
