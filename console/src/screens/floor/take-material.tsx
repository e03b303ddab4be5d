import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { readQuantity, useFormat } from '../../format'
import { ActForm } from '../../parts/act-form'
import type { Job } from '../../parts/acts'
import { atLeastZero, isZero, subtract } from '../../parts/quantity'
import { aboutJob, useFloor } from './floor-context'
import type { Material } from './materials'
import { QuantityField } from './quantity-field'

/** Takes material of one line out of stock, or brings it back. */
export function TakeMaterial({ job, line, back, close }: { job: Job; line: Material; back: boolean; close: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { act } = useFloor()
  const proposed = back ? line.consumed : atLeastZero(subtract(line.quantity, line.consumed))
  const [typed, setTyped] = useState(proposed.replace('.', format.decimal))
  const [location, setLocation] = useState(line.location ?? '')
  const [lot, setLot] = useState('')
  const quantity = readQuantity(typed)
  return (
    <ActForm
      title={t(back ? 'floor.giveBackOf' : 'floor.takeOf', { article: line.article })}
      action={t(back ? 'floor.giveBack' : 'floor.take')}
      error={null}
      busy={false}
      close={close}
      send={() => {
        if (quantity === undefined || isZero(quantity)) return
        const item = {
          line: line.line,
          quantity,
          ...(location.trim() === '' ? {} : { location: location.trim() }),
          ...(lot.trim() === '' ? {} : { lot: lot.trim() })
        }
        close()
        act({ kind: back ? 'return' : 'consume', jobId: job.id, body: { items: [item] } }, `${line.article}, ${aboutJob(job)}`)
      }}
    >
      <QuantityField label={t('stock.quantity')} unit={line.unit} value={typed} change={setTyped} />
      <TextInput
        size="md"
        label={t('stock.location')}
        maxLength={40}
        value={location}
        onChange={event => setLocation(event.currentTarget.value)}
      />
      <TextInput size="md" label={t('floor.lot')} maxLength={40} value={lot} onChange={event => setLot(event.currentTarget.value)} />
    </ActForm>
  )
}
