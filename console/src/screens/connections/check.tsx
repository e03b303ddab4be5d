import { Alert, Button, List, Stack, Text, ThemeIcon } from '@mantine/core'
import { IconCheck, IconStethoscope, IconX } from '@tabler/icons-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { ProblemNote } from '../../parts/problem'

/** Our own steps; an adapter's steps come with its words. */
const ownSteps: Readonly<Record<string, 'settings' | 'mapping' | 'kinds' | 'sftpAccess' | 'token'>> = {
  settings: 'settings',
  mapping: 'mapping',
  kinds: 'kinds',
  'SFTP access': 'sftpAccess',
  token: 'token'
}

/** Tries the connection, step by step, and says what each step found. `checked` hears whether all went well. */
export function Check({ id, atOnce = false, checked }: { id: string; atOnce?: boolean; checked?: (ok: boolean) => void }) {
  const { t } = useTranslation()
  const check = api.useMutation('post', '/api/v1/connections/{id}/check', { onSuccess: ({ ok }) => checked?.(ok) })
  const { mutate } = check
  useEffect(() => {
    if (atOnce) mutate({ params: { path: { id } }, body: {} })
  }, [atOnce, id, mutate])
  const { data } = check
  return (
    <Stack>
      <ProblemNote error={check.error} />
      {data ? (
        <Alert color={data.ok ? 'teal' : 'orange'} title={data.ok ? t('connections.checkGood') : t('connections.checkBad')} role="status">
          <List spacing="sm" listStyleType="none" mt="xs" center={false}>
            {data.steps.map(({ step, ok, detail }) => {
              const own = ownSteps[step]
              return (
                <List.Item
                  key={step}
                  icon={
                    <ThemeIcon
                      size={22}
                      radius="xl"
                      color={ok ? 'teal' : 'red'}
                      role="img"
                      aria-label={ok ? t('connections.stepGood') : t('connections.stepBad')}
                    >
                      {ok ? <IconCheck size={14} /> : <IconX size={14} />}
                    </ThemeIcon>
                  }
                >
                  <Text size="sm" fw={600}>
                    {own ? t(`connections.step.${own}`) : step}
                  </Text>
                  {own && !ok ? <Text size="sm">{t(`connections.stepFix.${own}`)}</Text> : null}
                  {detail ? (
                    <Text size="xs" c="dimmed" lang="en">
                      {detail}
                    </Text>
                  ) : null}
                </List.Item>
              )
            })}
          </List>
        </Alert>
      ) : null}
      <div>
        <Button
          variant={data?.ok ? 'default' : 'light'}
          leftSection={<IconStethoscope size={18} />}
          loading={check.isPending}
          onClick={() => mutate({ params: { path: { id } }, body: {} })}
        >
          {data ? t('connections.checkAgain') : t('connections.check')}
        </Button>
      </div>
    </Stack>
  )
}
