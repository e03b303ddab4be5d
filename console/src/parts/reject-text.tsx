import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** Why a row or a message was refused: the reader's words by the stable code, and the server's own sentence, which names the value. */
export function RejectText({ code, message }: { code: string | undefined; message: string | undefined }) {
  const { t, i18n } = useTranslation()
  const known = code !== undefined && i18n.language !== 'en' && i18n.exists(`reject.${code}`)
  return (
    <>
      {known ? <Text size="sm">{t(`reject.${code}` as 'reject.code_unknown')}</Text> : null}
      {message ? (
        <Text size={known ? 'xs' : 'sm'} {...(known ? { c: 'dimmed' } : {})} lang="en">
          {message}
        </Text>
      ) : null}
    </>
  )
}
