import { SegmentedControl, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { readQuantity, useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { notifyDone } from '../../parts/problem'
import type { Level } from './levels'
import { useStockChanged } from './stock-changed'

/** More or less than the books say, with a reason; the ERP gets the difference. */
export function Adjust({ level, close }: { level: Level; close: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const changed = useStockChanged()
  const [sign, setSign] = useState<'+' | '-'>('+')
  const [quantity, setQuantity] = useState('')
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const read = readQuantity(quantity)
  const adjust = api.useMutation('post', '/api/v1/stock/adjust', {
    onSuccess: () => {
      notifyDone(t('stock.adjusted', { article: level.article, location: level.location }))
      changed()
      close()
    }
  })
  return (
    <ActForm
      title={t('stock.adjustOf', { article: level.article, location: level.location })}
      action={t('stock.adjust')}
      error={adjust.error}
      busy={adjust.isPending}
      close={close}
      send={() => {
        if (read === undefined) return
        adjust.mutate({
          headers: key,
          body: {
            article: level.article,
            location: level.location,
            quantity: sign === '-' ? `-${read}` : read,
            reason: reason.trim(),
            ...(level.lot ? { lot: level.lot } : {})
          }
        })
      }}
    >
      <Text size="sm">{t('stock.now', { quantity: format.quantity(level.quantity), unit: level.unit })}</Text>
      <SegmentedControl
        fullWidth
        value={sign}
        onChange={value => setSign(value === '-' ? '-' : '+')}
        data={[
          { value: '+', label: t('stock.more') },
          { value: '-', label: t('stock.less') }
        ]}
      />
      <TextInput
        label={t('stock.difference', { unit: level.unit })}
        inputMode="decimal"
        required
        data-autofocus
        value={quantity}
        onChange={event => setQuantity(event.currentTarget.value)}
        error={quantity !== '' && read === undefined ? t('quantity.invalid') : null}
      />
      <TextInput
        label={t('stock.reason')}
        required
        maxLength={200}
        value={reason}
        onChange={event => setReason(event.currentTarget.value)}
      />
    </ActForm>
  )
}
