import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useFieldName } from './field-name'

export interface Refused {
  readonly code: string | undefined
  readonly message: string | undefined
  readonly field?: string | null
  /** null also when this reader may not see it. */
  readonly value?: string | null
  readonly codeTable?: string | null
}

/** One plain sentence in the reader's language that names field and value; undefined when there is none for this code or not all is known. */
export function useRejectSentence(): (refused: Refused) => string | undefined {
  const { t, i18n } = useTranslation()
  const fieldName = useFieldName()
  return ({ code, field, value, codeTable }) => {
    if (code === undefined) return undefined
    const known = { field: field ? fieldName(field) : '', value: value ?? '', table: codeTable ?? '' }
    const key = `rejectOf.${code}` as 'rejectOf.code_unknown'
    if (i18n.exists(key)) {
      const asks = [...t(key, { skipInterpolation: true }).matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? '')
      if (asks.every(name => known[name as keyof typeof known] !== '')) return t(key, known)
    }
    return i18n.language !== 'en' && i18n.exists(`reject.${code}`) ? t(`reject.${code}` as 'reject.code_unknown') : undefined
  }
}

/** Why a row or a message was refused: the reader's words by the stable code, and the server's own sentence where that says more. */
export function RejectText(refused: Refused) {
  const { t, i18n } = useTranslation()
  const sentence = useRejectSentence()(refused)
  const whole = sentence !== undefined && refused.code !== undefined && i18n.exists(`rejectOf.${refused.code}`)
  const general = refused.code !== undefined && sentence === t(`reject.${refused.code}` as 'reject.code_unknown')
  return (
    <>
      {sentence ? <Text size="sm">{sentence}</Text> : null}
      {refused.message && (!whole || general) ? (
        <Text size={sentence ? 'xs' : 'sm'} {...(sentence ? { c: 'dimmed' } : {})} lang="en">
          {refused.message}
        </Text>
      ) : null}
    </>
  )
}
