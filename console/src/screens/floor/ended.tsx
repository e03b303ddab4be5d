import { Alert, Button, Stack, Text } from '@mantine/core'
import { IconKeyboard } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { readQuantity } from '../../format'
import type { Job } from '../../parts/acts'
import { Reopen } from '../../parts/reopen'
import { useMay } from '../../session'
import { emptyDraft, useFloor } from './floor-context'
import { useAmountsText } from './use-act-text'

/** A job that takes no more: what can be done about it, and what was typed on it before somebody else completed it. */
export function Ended({ job }: { job: Job }) {
  const { t } = useTranslation()
  const may = useMay()
  const { draftOf, setDraft, toScan } = useFloor()
  const amountsOf = useAmountsText()
  const draft = draftOf(job.id)
  const amounts =
    draft === emptyDraft
      ? ''
      : amountsOf({
          good: readQuantity(draft.good ?? '0') ?? '0',
          scrap: readQuantity(draft.scrap) ?? '0',
          rework: readQuantity(draft.rework) ?? '0'
        })
  const completed = job.status === 'completed'
  return (
    <Stack gap="sm" align="flex-start">
      {amounts === '' ? null : (
        <Alert w="100%" color="orange" role="alert" icon={<IconKeyboard />} title={t('floor.unsentFigures', { amounts })}>
          <Text size="sm" mb="xs">
            {t('floor.unsentFiguresText')}
          </Text>
          <Button
            variant="default"
            onClick={() => {
              setDraft(job.id, undefined)
              toScan()
            }}
          >
            {t('floor.forget')}
          </Button>
        </Alert>
      )}
      <div>
        <Text fw={600}>{t(`floor.ended.${completed ? 'completed' : 'other'}`)}</Text>
        {completed ? <Text size="sm">{may('jobs.complete') ? t('floor.reopenToBook') : t('floor.askToReopen')}</Text> : null}
      </div>
      {completed && may('jobs.complete') ? <Reopen job={job} done={toScan} /> : null}
    </Stack>
  )
}
