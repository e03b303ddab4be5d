import { Group, Progress, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useFormat } from '../format'

/** Good and scrap against what was planned, as bar and as figures. Only the width of the bar is computed as a float. */
export function QuantityBar({
  planned,
  good,
  scrap,
  unit,
  size = 'xl'
}: {
  planned: string
  good: string
  scrap: string
  unit: string
  size?: 'sm' | 'xl'
}) {
  const { t } = useTranslation()
  const format = useFormat()
  const whole = Math.max(Number(planned), Number(good) + Number(scrap), Number.MIN_VALUE)
  const share = (part: string) => (Number(part) / whole) * 100
  const label = t('quantity.bar', { good: format.quantity(good), planned: format.quantity(planned), unit })
  return (
    <div>
      <Progress.Root size={size} aria-label={label}>
        <Progress.Section value={share(good)} color="teal" aria-label={t('quantity.good')} />
        <Progress.Section value={share(scrap)} color="red" aria-label={t('quantity.scrap')} />
      </Progress.Root>
      <Group gap="md" mt={4}>
        <Text size="sm" fw={600} className="figures">
          {label}
        </Text>
        {Number(scrap) > 0 ? (
          <Text size="sm" className="figures">
            {t('quantity.scrapCount', { scrap: format.quantity(scrap), unit })}
          </Text>
        ) : null}
      </Group>
    </div>
  )
}
