import { Button, Group, Text } from '@mantine/core'
import { IconHourglassHigh, IconTrashX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../../format'
import classes from './floor.module.css'

const choices = ['not_yet', 'lost'] as const

/** Fewer than planned: do the others still come, or are they lost? */
export function Shortfall({
  missing,
  unit,
  value,
  choose
}: {
  missing: string
  unit: string
  value: 'not_yet' | 'lost' | null
  choose: (value: 'not_yet' | 'lost') => void
}) {
  const { t } = useTranslation()
  const format = useFormat()
  const title = t('floor.short', { missing: format.quantity(missing), unit })
  return (
    <div role="radiogroup" aria-label={title}>
      <Text fw={600} mb={6}>
        {title}
      </Text>
      <Group grow gap={8} wrap="nowrap">
        {choices.map(choice => (
          <Button
            key={choice}
            role="radio"
            aria-checked={value === choice}
            classNames={{ root: classes.choice ?? '', inner: classes.choiceInner ?? '', label: classes.choiceLabel ?? '' }}
            variant={value === choice ? 'filled' : 'default'}
            leftSection={choice === 'lost' ? <IconTrashX size={22} /> : <IconHourglassHigh size={22} />}
            onClick={() => choose(choice)}
          >
            <span>
              {t(`floor.short.${choice}`)}
              <Text span display="block" size="sm" fw={400} inherit={false} c="inherit">
                {t(`floor.shortText.${choice}`)}
              </Text>
            </span>
          </Button>
        ))}
      </Group>
    </div>
  )
}
