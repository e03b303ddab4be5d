import { Box, Group, Progress, Text, VisuallyHidden } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../format'
import classes from './chart.module.css'

/** A bar per person: hours on orders and on other work. Longest first; the figures stand beside, so no colour is needed to read it. */
export function HoursChart({ people }: { people: readonly { name: string; direct: number; indirect: number }[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const whole = Math.max(1, ...people.map(one => one.direct + one.indirect))
  const share = (seconds: number) => (Math.max(0, seconds) / whole) * 100
  return (
    <Box component="section" aria-label={t('hours.chart')}>
      <Group gap="lg" mb="xs">
        <Text size="sm" className={classes.direct ?? ''}>
          {t('hours.direct')}
        </Text>
        <Text size="sm" className={classes.indirect ?? ''}>
          {t('hours.indirect')}
        </Text>
      </Group>
      {[...people]
        .sort((a, b) => b.direct + b.indirect - a.direct - a.indirect)
        .map(({ name, direct, indirect }) => (
          <div key={name} className={classes.row}>
            <Text size="sm" truncate>
              {name}
            </Text>
            <Progress.Root size="xl" aria-hidden>
              <Progress.Section value={share(direct)} color="blue" />
              <Progress.Section value={share(indirect)} color="orange" />
            </Progress.Root>
            <Text size="sm" ta="right" className="figures">
              {format.duration(direct + indirect)}
              <VisuallyHidden>
                {t('hours.chartRow', { direct: format.duration(direct), indirect: format.duration(indirect) })}
              </VisuallyHidden>
            </Text>
          </div>
        ))}
    </Box>
  )
}
