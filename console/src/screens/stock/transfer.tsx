import { Autocomplete, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { readQuantity, useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { notifyDone } from '../../parts/problem'
import type { Level } from './levels'
import { useStockChanged } from './stock-changed'

export function Transfer({ level, close }: { level: Level; close: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const changed = useStockChanged()
  const [quantity, setQuantity] = useState('')
  const [to, setTo] = useState('')
  const [key] = useState(newKey)
  const read = readQuantity(quantity)
  const locations = api.useQuery(
    'get',
    '/api/v1/locations',
    { params: { query: { limit: 20, ...(to ? { search: to } : {}) } } },
    { placeholderData: before => before }
  )
  const transfer = api.useMutation('post', '/api/v1/stock/transfer', {
    onSuccess: () => {
      notifyDone(t('stock.transferred', { quantity: format.quantity(read), article: level.article, to }))
      changed()
      close()
    }
  })
  return (
    <ActForm
      title={t('stock.transferOf', { article: level.article })}
      action={t('stock.transfer')}
      error={transfer.error}
      busy={transfer.isPending}
      close={close}
      send={() => {
        if (read === undefined) return
        transfer.mutate({
          headers: key,
          body: { article: level.article, quantity: read, from: level.location, to: to.trim(), ...(level.lot ? { lot: level.lot } : {}) }
        })
      }}
    >
      <Text size="sm">{t('stock.from', { location: level.location, quantity: format.quantity(level.quantity), unit: level.unit })}</Text>
      <TextInput
        label={t('stock.quantityIn', { unit: level.unit })}
        inputMode="decimal"
        required
        data-autofocus
        value={quantity}
        onChange={event => setQuantity(event.currentTarget.value)}
        error={quantity !== '' && read === undefined ? t('quantity.invalid') : null}
      />
      <Autocomplete
        label={t('stock.to')}
        required
        value={to}
        onChange={setTo}
        data={locations.data?.items.filter(item => !item.blocked && item.code !== level.location).map(item => item.code) ?? []}
      />
    </ActForm>
  )
}
