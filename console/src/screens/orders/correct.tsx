import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { readQuantity, useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { notifyDone, ProblemNote } from '../../parts/problem'
import type { Report } from './reports'

/** New figures beside the old ones, with a reason: the server reverses the old row and writes a new one. */
export function Correct({ report, close }: { report: Report; close: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const queries = useQueryClient()
  const typed = (text: string) => text.replace('.', format.decimal)
  const [good, setGood] = useState(typed(report.good))
  const [scrap, setScrap] = useState(typed(report.scrap))
  const [scrapReason, setScrapReason] = useState(report.scrapReason)
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const reasons = api.useQuery('get', '/api/v1/scrap-reasons')
  const correct = api.useMutation('post', '/api/v1/reports/{reportId}/correct', {
    onSuccess: () => {
      notifyDone(t('orders.corrected'))
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/work-orders/{orderId}'] })
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/work-orders/{orderId}/history'] })
      close()
    }
  })
  const figures = { good: readQuantity(good), scrap: readQuantity(scrap) }
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (figures.good === undefined || figures.scrap === undefined) return
    correct.mutate({
      params: { path: { reportId: report.id } },
      headers: key,
      body: {
        good: figures.good,
        scrap: figures.scrap,
        ...(scrapReason && Number(figures.scrap) > 0 ? { scrapReason } : {}),
        reason: reason.trim()
      }
    })
  }
  const field = (label: string, before: string, value: string, set: (value: string) => void, read: string | undefined) => (
    <TextInput
      label={label}
      description={t('orders.was', { before: format.quantity(before) })}
      inputMode="decimal"
      required
      value={value}
      onChange={event => set(event.currentTarget.value)}
      error={read === undefined ? t('quantity.invalid') : null}
    />
  )
  return (
    <Modal opened onClose={close} title={t('orders.correctTitle')} centered closeButtonProps={{ 'aria-label': t('act.close') }}>
      <form onSubmit={send}>
        <Stack>
          <Text size="sm" c="dimmed">
            {t('orders.correctText')}
          </Text>
          <Group grow align="flex-start">
            {field(t('quantity.good'), report.good, good, setGood, figures.good)}
            {field(t('quantity.scrap'), report.scrap, scrap, setScrap, figures.scrap)}
          </Group>
          {Number(figures.scrap ?? 0) > 0 ? (
            <Select
              label={t('orders.scrapReason')}
              required
              data={
                reasons.data?.items.map(item => ({ value: item.code, label: item.name ? `${item.code} · ${item.name}` : item.code })) ?? []
              }
              value={scrapReason}
              onChange={setScrapReason}
            />
          ) : null}
          <TextInput
            label={t('orders.reason')}
            required
            maxLength={200}
            value={reason}
            onChange={event => setReason(event.currentTarget.value)}
          />
          <ProblemNote error={correct.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('act.cancel')}
            </Button>
            <Button type="submit" loading={correct.isPending}>
              {t('orders.correct')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
