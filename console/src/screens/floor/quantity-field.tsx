import { Button, Group, Text, TextInput } from '@mantine/core'
import { IconMinus, IconPlus } from '@tabler/icons-react'
import { type Ref, useId, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { readQuantity, useFormat } from '../../format'
import { add, atLeastZero, subtract } from '../../parts/quantity'
import classes from './floor.module.css'
import { useFloor } from './floor-context'

/** Keys this close together were a scanner's, not a person's. */
const scannerMs = 35

/** A quantity with large buttons; typed on a numpad, with comma or point. A scan that ends up here goes to the scan box. */
export function QuantityField({
  label,
  unit,
  value,
  change,
  ref
}: {
  label: string
  unit: string
  /** As typed. */
  value: string
  change: (typed: string) => void
  ref?: Ref<HTMLInputElement>
}) {
  const { t } = useTranslation()
  const format = useFormat()
  const { scanned } = useFloor()
  const id = useId()
  const read = readQuantity(value)
  const keys = useRef({ before: value, text: '', last: 0, fast: true })
  const step = (by: '1' | '-1') =>
    change((by === '1' ? add(read ?? '0', '1') : atLeastZero(subtract(read ?? '0', '1'))).replace('.', format.decimal))
  return (
    <div className={classes.field}>
      <Text component="label" htmlFor={id} fw={600} className={classes.fieldName ?? ''}>
        {label}
        <Text span display="block" size="sm" c="dimmed">
          {unit}
        </Text>
      </Text>
      <Group gap={8} wrap="nowrap" align="flex-start">
        <Button variant="default" h={56} w={64} p={0} onClick={() => step('-1')} aria-label={t('floor.less', { what: label })}>
          <IconMinus size={26} />
        </Button>
        <TextInput
          id={id}
          ref={ref}
          flex={1}
          miw={0}
          classNames={{ input: classes.number ?? '' }}
          inputMode="decimal"
          autoComplete="off"
          value={value}
          error={read === undefined ? t('quantity.invalid') : undefined}
          onFocus={event => {
            event.currentTarget.select()
            keys.current = { before: value, text: '', last: 0, fast: true }
          }}
          onChange={event => change(event.currentTarget.value)}
          onKeyDown={event => {
            const typing = keys.current
            if (event.key.length === 1) {
              const gap = event.timeStamp - typing.last
              if (typing.text !== '' && gap > 500) keys.current = { before: value, text: event.key, last: event.timeStamp, fast: true }
              else {
                typing.fast &&= typing.text === '' || gap < scannerMs
                typing.text += event.key
                typing.last = event.timeStamp
              }
            }
            if (event.key === 'Enter' && typing.text.length >= 5 && typing.fast) {
              event.preventDefault()
              change(typing.before)
              scanned(typing.text)
            }
            if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
              event.preventDefault()
              step(event.key === 'ArrowUp' ? '1' : '-1')
            }
          }}
        />
        <Button variant="default" h={56} w={64} p={0} onClick={() => step('1')} aria-label={t('floor.more', { what: label })}>
          <IconPlus size={26} />
        </Button>
      </Group>
    </div>
  )
}
