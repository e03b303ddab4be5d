import { useTranslation } from 'react-i18next'

/** The server's code for stock that lies at no location. */
export const unplaced = '-'

export function usePlaceName(): (code: string) => string {
  const { t } = useTranslation()
  return code => (code === unplaced ? t('stock.noLocation') : code)
}
