import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useMe } from '../../session'

/** The due date; when it is today or past, that is said in words, not by colour alone. */
export function Due({ date }: { date: string | null }) {
  const { t, i18n } = useTranslation()
  const { zone } = useMe()
  if (date === null) return null
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(Date.now())
  const late = date < today
  const short = new Intl.DateTimeFormat(i18n.language === 'nl' ? 'nl-NL' : 'en-GB', {
    timeZone: 'UTC',
    day: 'numeric',
    month: 'short'
  }).format(new Date(date))
  return (
    <Text
      size="sm"
      component="span"
      fw={late || date === today ? 700 : 400}
      c={late ? 'var(--mantine-color-error)' : undefined}
      style={{ whiteSpace: 'nowrap' }}
    >
      {late ? t('floor.late', { date: short }) : date === today ? t('floor.today') : short}
    </Text>
  )
}
