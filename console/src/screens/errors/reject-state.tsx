import { Badge } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Reject } from './use-errors'

export const rejectStates = ['open', 'replaying', 'resolved', 'skipped'] as const satisfies readonly Reject['state'][]

const colors: Readonly<Record<Reject['state'], string>> = { open: 'red', replaying: 'blue', resolved: 'teal', skipped: 'gray' }

export function RejectState({ state }: { state: Reject['state'] }) {
  const { t } = useTranslation()
  return (
    <Badge variant="light" color={colors[state]} tt="none">
      {t(`errors.state.${state}`)}
    </Badge>
  )
}
