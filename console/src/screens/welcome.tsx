import { Alert, Button, PasswordInput, Stack, Text } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../api/client'
import { ProblemNote } from '../parts/problem'
import { EntryPage } from './sign-in'

/** The one-time link: chooses the first password. The token is in the fragment, which no server or log sees. */
export function Welcome() {
  const { t } = useTranslation()
  const [token] = useState(() => location.hash.slice(1))
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [differ, setDiffer] = useState(false)
  const accept = api.useMutation('post', '/api/v1/invitations/accept', {
    onSuccess: () => history.replaceState(null, '', location.pathname)
  })
  const valid = token.startsWith('wv_invite_')
  const send = (event: FormEvent) => {
    event.preventDefault()
    setDiffer(password !== again)
    if (password === again) accept.mutate({ body: { token, password } })
  }
  if (accept.isSuccess) {
    return (
      <EntryPage title={t('welcome.saved')}>
        <Text>{t('welcome.savedText', { customer: accept.data.customer, username: accept.data.username })}</Text>
        <Button component={Link} to="/" size="lg">
          {t('signIn.act')}
        </Button>
      </EntryPage>
    )
  }
  return (
    <EntryPage title={t('welcome.title')}>
      <Text c="dimmed" size="sm">
        {t('welcome.intro')}
      </Text>
      {valid ? null : (
        <Alert color="red" role="alert">
          {t('welcome.noLink')}
        </Alert>
      )}
      <form onSubmit={send}>
        <Stack>
          <PasswordInput
            size="md"
            label={t('signIn.password')}
            description={t('welcome.hint')}
            required
            maxLength={128}
            autoComplete="new-password"
            value={password}
            onChange={event => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
          />
          <PasswordInput
            size="md"
            label={t('welcome.again')}
            required
            maxLength={128}
            autoComplete="new-password"
            value={again}
            onChange={event => setAgain(event.currentTarget.value)}
            error={differ ? t('welcome.differ') : null}
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
          />
          <ProblemNote error={accept.error} />
          <Button type="submit" size="lg" loading={accept.isPending} disabled={!valid}>
            {t('act.save')}
          </Button>
        </Stack>
      </form>
    </EntryPage>
  )
}
