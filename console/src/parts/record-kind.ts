import { useTranslation } from 'react-i18next'

/** Kinds of record have words of their own; one that an unknown adapter brings keeps its name. */
export function useKindName(): (kind: string) => string {
  const { t, i18n } = useTranslation()
  return kind => (i18n.exists(`kind.${kind}`) ? t(`kind.${kind}` as 'kind.workOrder') : kind)
}
