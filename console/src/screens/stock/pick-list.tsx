import { Anchor, Button, Card, Group, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArrowLeft } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { readQuantity, useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { notifyProblem, ProblemNote } from '../../parts/problem'
import { QuantityBar } from '../../parts/quantity-bar'
import { useMay } from '../../session'
import { PickState } from './pick-lists'

type Line = components['schemas']['PickLine']

const listKey = ['get', '/api/v1/pick-lists/{listId}']

/** One pick list: each line says where to go, what to scan there and how much is left. */
export function PickListDetail() {
  const { t } = useTranslation()
  const { listId = '' } = useParams()
  const may = useMay()
  const list = api.useQuery('get', '/api/v1/pick-lists/{listId}', { params: { path: { listId } } })
  const [open, setOpen] = useState<{ line: Line; what: 'pick' | 'short' }>()
  const close = () => setOpen(undefined)
  return (
    <>
      <Anchor component={Link} to="/stock/picks" size="sm" mb="xs" display="inline-block">
        <Group gap={4}>
          <IconArrowLeft size={16} aria-hidden />
          {t('stock.picks')}
        </Group>
      </Anchor>
      <ProblemNote error={list.error} retry={list.refetch} />
      {list.isPending ? <Skeleton height={220} /> : null}
      {list.data ? (
        <Stack maw={900}>
          <Group justify="space-between">
            <Title order={2} size="h3">
              {t('pick.of', { list: list.data.number, order: list.data.orderNumber })}
            </Title>
            <PickState status={list.data.status} />
          </Group>
          {list.data.lines.map(line => (
            <Card withBorder key={line.id}>
              <Group justify="space-between" align="flex-start" wrap="nowrap">
                <div>
                  <Text fw={700}>{line.article}</Text>
                  <Text size="sm" c="dimmed">
                    {line.articleDescription}
                  </Text>
                  <Text size="sm">{line.location ? t('pick.at', { location: line.location }) : t('pick.anywhere')}</Text>
                  {line.shortReason ? (
                    <Text size="sm" c="orange">
                      {t('pick.shortBecause', { reason: line.shortReason })}
                    </Text>
                  ) : null}
                </div>
                {may('stock.consume') && list.data.status !== 'closed' && Number(line.picked) < Number(line.requested) ? (
                  <Group gap="xs" wrap="nowrap">
                    <Button size="md" onClick={() => setOpen({ line, what: 'pick' })}>
                      {t('pick.pick')}
                    </Button>
                    <Button size="md" variant="default" onClick={() => setOpen({ line, what: 'short' })}>
                      {t('pick.markShort')}
                    </Button>
                  </Group>
                ) : null}
              </Group>
              <QuantityBar planned={line.requested} good={line.picked} scrap="0" unit={line.unit} size="sm" />
            </Card>
          ))}
        </Stack>
      ) : null}
      {open?.what === 'pick' ? <Pick listId={listId} line={open.line} close={close} /> : null}
      {open?.what === 'short' ? <Short listId={listId} line={open.line} close={close} /> : null}
    </>
  )
}

function Pick({ listId, line, close }: { listId: string; line: Line; close: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const queries = useQueryClient()
  const [article, setArticle] = useState('')
  const [location, setLocation] = useState(line.location ?? '')
  const [quantity, setQuantity] = useState('')
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const undo = api.useMutation('post', '/api/v1/pick-lists/{listId}/lines/{lineId}/undo', {
    onSuccess: () => void queries.invalidateQueries({ queryKey: listKey }),
    onError: notifyProblem
  })
  const pick = api.useMutation('post', '/api/v1/pick-lists/{listId}/lines/{lineId}/pick', {
    onSuccess: done => {
      void queries.invalidateQueries({ queryKey: listKey })
      const id = notifications.show({
        color: 'green',
        withBorder: true,
        autoClose: 10_000,
        message: (
          <Group justify="space-between">
            {t('pick.donePicking', { article: line.article })}
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                notifications.hide(id)
                undo.mutate({ params: { path: { listId, lineId: line.id } }, headers: newKey(), body: { actId: done.actId } })
              }}
            >
              {t('act.undo')}
            </Button>
          </Group>
        )
      })
      close()
    }
  })
  const read = readQuantity(quantity)
  const elsewhere = line.location !== null && location.trim() !== line.location
  return (
    <ActForm
      title={t('pick.title', { article: line.article })}
      action={t('pick.pick')}
      error={pick.error}
      busy={pick.isPending}
      close={close}
      send={() => {
        if (read === undefined) return
        pick.mutate({
          params: { path: { listId, lineId: line.id } },
          headers: key,
          body: {
            article: article.trim(),
            location: location.trim(),
            quantity: read,
            ...(elsewhere && reason.trim() !== '' ? { reason: reason.trim() } : {})
          }
        })
      }}
    >
      <TextInput
        size="md"
        label={t('pick.scanArticle')}
        description={t('pick.scanArticleHint', { article: line.article })}
        required
        data-autofocus
        value={article}
        onChange={event => setArticle(event.currentTarget.value)}
      />
      <TextInput
        size="md"
        label={t('stock.location')}
        required
        value={location}
        onChange={event => setLocation(event.currentTarget.value)}
      />
      {elsewhere ? (
        <TextInput
          size="md"
          label={t('pick.whyElsewhere')}
          required
          value={reason}
          onChange={event => setReason(event.currentTarget.value)}
        />
      ) : null}
      <TextInput
        size="md"
        label={t('stock.quantityIn', { unit: line.unit })}
        description={t('pick.asked', { requested: format.quantity(line.requested), picked: format.quantity(line.picked), unit: line.unit })}
        inputMode="decimal"
        required
        value={quantity}
        onChange={event => setQuantity(event.currentTarget.value)}
        error={quantity !== '' && read === undefined ? t('quantity.invalid') : null}
      />
    </ActForm>
  )
}

function Short({ listId, line, close }: { listId: string; line: Line; close: () => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const short = api.useMutation('post', '/api/v1/pick-lists/{listId}/lines/{lineId}/short', {
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: listKey })
      close()
    }
  })
  return (
    <ActForm
      title={t('pick.shortTitle', { article: line.article })}
      action={t('pick.markShort')}
      error={short.error}
      busy={short.isPending}
      close={close}
      send={() => short.mutate({ params: { path: { listId, lineId: line.id } }, headers: key, body: { reason: reason.trim() } })}
    >
      <TextInput
        size="md"
        label={t('pick.shortReason')}
        required
        maxLength={200}
        data-autofocus
        value={reason}
        onChange={event => setReason(event.currentTarget.value)}
      />
    </ActForm>
  )
}
