import { ActionIcon, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { newKey } from '../../parts/act'
import { Confirm } from '../../parts/confirm'
import { notifyDone, ProblemNote } from '../../parts/problem'
import type { OperationalGroup } from './groups'

type Rule = OperationalGroup['rules'][number]
const kinds = ['department', 'work_centre', 'order', 'order_pattern', 'all'] as const

/** People write * for "anything"; the rule is kept as PostgreSQL's LIKE. */
const stored = (pattern: string): string => pattern.trim().replaceAll('*', '%')
export const shownPattern = ({ kind, value }: Rule): string => (kind === 'order_pattern' ? value.replaceAll('%', '*') : value)

export function GroupForm({ group, close }: { group: OperationalGroup | undefined; close: () => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [name, setName] = useState(group?.name ?? '')
  const [rules, setRules] = useState<(Rule & { id: number })[]>(
    (group?.rules ?? [{ kind: 'department' as const, value: '' }]).map((rule, id) => ({ ...rule, value: shownPattern(rule), id }))
  )
  const [key] = useState(newKey)
  const departments = api.useQuery('get', '/api/v1/departments')
  const workCentres = api.useQuery('get', '/api/v1/work-centres')
  const done = () => {
    void queries.invalidateQueries({ queryKey: ['get', '/api/v1/groups'] })
    void queries.invalidateQueries({ queryKey: ['get', '/api/v1/groups/{id}/jobs'] })
    notifyDone(t('people.saved'))
    close()
  }
  const create = api.useMutation('post', '/api/v1/groups', { onSuccess: done })
  const change = api.useMutation('put', '/api/v1/groups/{id}', { onSuccess: done })
  const remove = api.useMutation('delete', '/api/v1/groups/{id}', { onSuccess: done })
  const set = (id: number, part: Partial<Rule>) => setRules(rules.map(rule => (rule.id === id ? { ...rule, ...part } : rule)))
  const choices = (kind: Rule['kind']): string[] | undefined =>
    kind === 'department'
      ? departments.data?.items.map(item => item.code)
      : kind === 'work_centre'
        ? workCentres.data?.items.map(item => item.code)
        : undefined
  const send = (event: FormEvent) => {
    event.preventDefault()
    const given = rules.map(({ kind, value }) => ({
      kind,
      value: kind === 'all' ? '' : kind === 'order_pattern' ? stored(value) : value.trim()
    }))
    if (group) change.mutate({ params: { path: { id: group.id } }, body: { version: group.version, rules: given } })
    else create.mutate({ headers: key, body: { name: name.trim(), rules: given } })
  }
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={group ? t('people.editGroup', { name: group.name }) : t('people.newGroup')}
      closeButtonProps={{ 'aria-label': t('act.close') }}
    >
      <form onSubmit={send}>
        <Stack>
          {group ? null : (
            <TextInput
              label={t('people.groupName')}
              required
              maxLength={60}
              data-autofocus
              value={name}
              onChange={event => setName(event.currentTarget.value)}
            />
          )}
          <Text size="sm" fw={600}>
            {t('people.rules')}
          </Text>
          {rules.map(rule => {
            const known = choices(rule.kind)
            return (
              <Group key={rule.id} wrap="nowrap" align="flex-start">
                <Select
                  aria-label={t('people.ruleKind')}
                  w={190}
                  allowDeselect={false}
                  data={kinds.map(kind => ({ value: kind, label: t(`rule.${kind}`) }))}
                  value={rule.kind}
                  onChange={kind => set(rule.id, { kind: kind as Rule['kind'], value: '' })}
                />
                {rule.kind === 'all' ? (
                  <Text flex={1} size="sm" c="dimmed" pt={8}>
                    {t('people.ruleAll')}
                  </Text>
                ) : known && known.length > 0 ? (
                  <Select
                    flex={1}
                    aria-label={t('people.ruleValue')}
                    searchable
                    data={known}
                    value={rule.value || null}
                    onChange={value => set(rule.id, { value: value ?? '' })}
                  />
                ) : (
                  <TextInput
                    flex={1}
                    aria-label={t('people.ruleValue')}
                    placeholder={rule.kind === 'order_pattern' ? 'WO-26*' : ''}
                    value={rule.value}
                    onChange={event => set(rule.id, { value: event.currentTarget.value })}
                  />
                )}
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size={36}
                  aria-label={t('people.ruleRemove')}
                  onClick={() => setRules(rules.filter(({ id }) => id !== rule.id))}
                >
                  <IconTrash size={18} />
                </ActionIcon>
              </Group>
            )
          })}
          <Group>
            <Button
              size="xs"
              variant="subtle"
              leftSection={<IconPlus size={16} />}
              onClick={() => setRules([...rules, { kind: 'department', value: '', id: Math.max(0, ...rules.map(rule => rule.id)) + 1 }])}
            >
              {t('people.ruleAdd')}
            </Button>
          </Group>
          <ProblemNote error={create.error ?? change.error ?? remove.error} />
          <Group justify="space-between">
            {group ? (
              <Confirm
                title={t('people.removeGroup', { name: group.name })}
                action={t('act.remove')}
                busy={remove.isPending}
                onConfirm={() => remove.mutate({ params: { path: { id: group.id }, query: { version: group.version } } })}
                target={ask => (
                  <Button variant="subtle" color="red" onClick={ask}>
                    {t('act.remove')}
                  </Button>
                )}
              >
                {t('people.removeGroupText')}
              </Confirm>
            ) : (
              <span />
            )}
            <Group>
              <Button variant="default" onClick={close}>
                {t('act.cancel')}
              </Button>
              <Button type="submit" loading={create.isPending || change.isPending}>
                {t('act.save')}
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
