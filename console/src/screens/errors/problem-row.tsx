import { Badge, Box, Group, Paper, Text, UnstyledButton } from '@mantine/core'
import { IconArrowDownLeft, IconArrowUpRight, IconChevronRight } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../../format'
import { useFieldName } from '../../parts/field-name'
import { RejectText } from '../../parts/reject-text'
import classes from './errors.module.css'
import { RejectState } from './reject-state'
import { type Reject, usePlace, useRecordName } from './use-errors'

/** One problem: what, where, one plain sentence, field and value, attempts, and how many share its cause. */
export function ProblemRow({ reject, count, open }: { reject: Reject; count: number; open: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const recordName = useRecordName()
  const place = usePlace()
  const fieldName = useFieldName()
  const Way = reject.direction === 'in' ? IconArrowDownLeft : IconArrowUpRight
  return (
    <Paper withBorder component="li" className={classes.problem ?? ''}>
      <UnstyledButton className={classes.problemButton} onClick={open} aria-haspopup="dialog">
        <Way size={22} stroke={1.6} aria-label={reject.direction === 'in' ? t('errors.in') : t('errors.out')} />
        <Box className={classes.what}>
          <Text fw={600}>{recordName(reject)}</Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {place(reject)}
          </Text>
        </Box>
        <Box className={classes.why}>
          <RejectText {...reject} />
          {reject.field || reject.value ? (
            <Text size="xs" c="dimmed">
              {reject.field ? `${t('errors.field')}: ${fieldName(reject.field)} ` : null}
              {reject.value ? (
                <Text span size="xs" fw={700} c="var(--mantine-color-error)" style={{ overflowWrap: 'anywhere' }}>
                  {reject.value}
                </Text>
              ) : null}
            </Text>
          ) : null}
        </Box>
        <Group gap={6} className={classes.facts ?? ''}>
          {reject.state === 'open' ? null : <RejectState state={reject.state} />}
          {count > 1 ? (
            <Badge variant="light" color="orange" tt="none">
              {t('errors.rows', { count })}
            </Badge>
          ) : null}
          <Text size="xs" c="dimmed">
            {t('errors.tries', { count: reject.attempts })} · {format.ago(reject.createdAt)}
          </Text>
        </Group>
        <IconChevronRight size={18} aria-hidden />
      </UnstyledButton>
    </Paper>
  )
}
