import { Alert, Text } from '@mantine/core'
import { IconCheck, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { components } from '../../api/schema'
import { useFieldName } from '../../parts/field-name'
import { MappingProblem } from '../../parts/mapping-problem'
import { RejectText } from '../../parts/reject-text'

const parts = ['new', 'changed', 'unchanged', 'stale', 'held', 'rejected'] as const

/** How a dry run went: nothing of it was written. */
export function TrialNote({ result, error }: { result: components['schemas']['RejectTrial'] | undefined; error: unknown }) {
  const { t } = useTranslation()
  const fieldName = useFieldName()
  if (error) return <MappingProblem error={error} />
  if (!result) return null
  const { counts, reject, fields, count, tried } = result
  const good = counts.rejected === 0
  return (
    <Alert
      color={good ? 'teal' : 'orange'}
      icon={good ? <IconCheck /> : <IconX />}
      role="status"
      title={good ? t('errors.trialGood') : t('errors.trialBad')}
    >
      <Text size="sm">
        {parts
          .filter(part => counts[part] > 0)
          .map(part => t(`errors.trial.${part}`, { count: counts[part] }))
          .join(', ')}
      </Text>
      {fields.length > 0 ? <Text size="sm">{t('errors.trialFields', { fields: fields.map(fieldName).join('; ') })}</Text> : null}
      {reject ? <RejectText {...reject} /> : null}
      {tried < count ? <Text size="xs">{t('errors.trialPart', { tried, count })}</Text> : null}
    </Alert>
  )
}
