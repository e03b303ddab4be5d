import { Alert, Anchor, Button, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../api/client'
import { chooseLanguage, languages } from '../i18n'
import { ProblemNote } from '../parts/problem'
import { useSession } from '../session'
import classes from './sign-in.module.css'

const lastCustomer = 'werkvloer-customer'

/** Customer, user name or employee number, password. The customer's code is kept for the next time; nothing else is. */
export function SignIn() {
  const { t } = useTranslation()
  const { state, enter } = useSession()
  const [customer, setCustomer] = useState(localStorage.getItem(lastCustomer) ?? '')
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const signIn = api.useMutation('post', '/api/v1/sign-in', {
    onSuccess: async tokens => {
      localStorage.setItem(lastCustomer, customer.trim())
      await enter(tokens)
    },
    onError: () => setPassword('')
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate({ body: { customer: customer.trim(), username: username.trim(), password } })
  }
  return (
    <EntryPage title={t('signIn.title')}>
      <Text c="dimmed" size="sm">
        {t('signIn.intro')}
      </Text>
      {state.kind === 'out' && state.unreachable ? (
        <Alert color="red" role="alert">
          {t('problem.unreachable')}
        </Alert>
      ) : null}
      <form onSubmit={send}>
        <Stack>
          <TextInput
            size="md"
            label={t('signIn.customer')}
            description={t('signIn.customerHint')}
            required
            autoComplete="organization"
            autoCapitalize="none"
            value={customer}
            onChange={event => setCustomer(event.currentTarget.value)}
            autoFocus={customer === ''}
          />
          <TextInput
            size="md"
            label={t('signIn.username')}
            required
            autoComplete="username"
            autoCapitalize="none"
            value={username}
            onChange={event => setUsername(event.currentTarget.value)}
            autoFocus={customer !== ''}
          />
          <PasswordInput
            size="md"
            label={t('signIn.password')}
            required
            autoComplete="current-password"
            value={password}
            onChange={event => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
          />
          <ProblemNote error={signIn.error} />
          <Button type="submit" size="lg" loading={signIn.isPending}>
            {t('signIn.act')}
          </Button>
        </Stack>
      </form>
    </EntryPage>
  )
}

/** The frame of the pages for who is not signed in. */
export function EntryPage({ title, children }: { title: string; children: React.ReactNode }) {
  const { i18n } = useTranslation()
  return (
    <main className={classes.page}>
      <Paper className={classes.card} withBorder shadow="sm" p="xl" radius="lg">
        <Group justify="space-between" mb="lg">
          <Group gap="sm">
            <img src="/icon.svg" alt="" width={36} height={36} />
            <Text fw={700} size="lg">
              Werkvloer
            </Text>
          </Group>
          <Group gap={4}>
            {languages.map(language => (
              <Anchor
                key={language}
                component="button"
                type="button"
                lang={language}
                size="sm"
                px={6}
                mih={32}
                fw={i18n.language === language ? 700 : 400}
                aria-current={i18n.language === language}
                onClick={() => void chooseLanguage(language)}
              >
                {language === 'nl' ? 'Nederlands' : 'English'}
              </Anchor>
            ))}
          </Group>
        </Group>
        <Stack>
          <Title order={1} size="h2">
            {title}
          </Title>
          {children}
        </Stack>
      </Paper>
    </main>
  )
}
