import {
  ActionIcon,
  AppShell,
  Badge,
  Burger,
  Group,
  Indicator,
  Menu,
  NavLink,
  Text,
  Tooltip,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconChevronDown, IconLanguage, IconLogout, IconMoon, IconSun, IconUser } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { follow, type LiveState } from '../api/live'
import { chooseLanguage, languages } from '../i18n'
import { isWaiting } from '../parts/acts'
import { useActs } from '../parts/acts-provider'
import { Confirm } from '../parts/confirm'
import { useOpenErrors } from '../parts/open-errors'
import type { ScreenEntry } from '../screens'
import { useMe, useSession } from '../session'
import classes from './layout.module.css'
import { LiveContext } from './live-context'

/** Header, navigation and the live connection around every screen. */
export function Layout({ screens, children }: { screens: readonly ScreenEntry[]; children: ReactNode }) {
  const { t } = useTranslation()
  const [opened, { toggle, close }] = useDisclosure(false)
  const { pathname } = useLocation()
  const queries = useQueryClient()
  const [live, setLive] = useState<LiveState>('connecting')

  const { queue } = useActs()
  useEffect(() => {
    if (live === 'live') queue.nudge()
  }, [live, queue])

  useEffect(() => {
    const stop = new AbortController()
    void follow(queries, stop.signal, setLive)
    return () => stop.abort()
  }, [queries])

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 92, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="md"
      classNames={{ main: classes.main ?? '' }}
    >
      <a className={classes.skip} href="#main">
        {t('shell.skip')}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('shell.menu')} />
            <Link to="/" className={classes.logo} aria-label="Werkvloer">
              <img src="/icon.svg" alt="" width={28} height={28} />
            </Link>
            <Customer />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <LiveBadge state={live} />
            <Who />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar component="nav" aria-label={t('shell.menu')}>
        {screens.map(({ path, title, icon: Icon }) => (
          <NavLink
            key={path}
            component={Link}
            to={path}
            onClick={close}
            active={pathname === path || pathname.startsWith(`${path}/`)}
            aria-current={pathname.startsWith(path) ? 'page' : undefined}
            label={t(title)}
            leftSection={path === '/errors' ? <ErrorsIcon icon={Icon} /> : <Icon size={24} stroke={1.6} />}
            classNames={{
              root: classes.nav ?? '',
              section: classes.navIcon ?? '',
              label: classes.navLabel ?? '',
              body: classes.navBody ?? ''
            }}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <LiveContext value={live}>{children}</LiveContext>
      </AppShell.Main>
    </AppShell>
  )
}

/** The sign of the error bin with how much waits there. */
function ErrorsIcon({ icon: Icon }: { icon: ScreenEntry['icon'] }) {
  const { t } = useTranslation()
  const count = useOpenErrors()
  const sign = <Icon size={24} stroke={1.6} />
  if (count === 0) return sign
  return (
    <Indicator display="flex" color="red" size={18} offset={2} label={count > 99 ? '99+' : count}>
      {sign}
      <VisuallyHidden>{t('shell.openErrors', { count })}</VisuallyHidden>
    </Indicator>
  )
}

function Customer() {
  const { t } = useTranslation()
  const { customer } = useMe()
  return (
    <Text fw={600} truncate title={t('shell.customer')}>
      {customer}
    </Text>
  )
}

function LiveBadge({ state }: { state: LiveState }) {
  const { t } = useTranslation()
  const color = { live: 'green', connecting: 'gray', lost: 'red' }[state]
  const text = { live: t('shell.live'), connecting: t('shell.connecting'), lost: t('shell.lost') }[state]
  return (
    <Tooltip label={state === 'lost' ? t('shell.lostHint') : text}>
      <Badge variant="dot" color={color} visibleFrom={state === 'lost' ? 'base' : 'xs'} role="status" tt="none">
        {text}
      </Badge>
    </Tooltip>
  )
}

function Who() {
  const { t, i18n } = useTranslation()
  const me = useMe()
  const { signOut } = useSession()
  const waiting = useActs().acts.filter(isWaiting).length
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const roles = me.roles.map(role => t(`role.${role.name}` as 'role.operator', { defaultValue: role.name })).join(', ')
  const dark = colorScheme === 'dark' || (colorScheme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={44}
        visibleFrom="sm"
        aria-label={dark ? t('shell.toLight') : t('shell.toDark')}
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        {dark ? <IconSun size={20} /> : <IconMoon size={20} />}
      </ActionIcon>
      <Confirm
        title={t('shell.unsentTitle', { count: waiting })}
        action={t('shell.signOutUnsent')}
        onConfirm={signOut}
        target={ask => (
          <Menu position="bottom-end" width={260}>
            <Menu.Target>
              <UnstyledButton className={classes.who}>
                <div>
                  <Text size="sm" fw={600} lh={1.2} truncate>
                    {me.name ?? me.username}
                  </Text>
                  <Text size="xs" c="dimmed" lh={1.2} truncate>
                    {roles}
                  </Text>
                </div>
                <IconChevronDown size={16} aria-hidden />
              </UnstyledButton>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item component={Link} to="/account" leftSection={<IconUser size={18} />}>
                {t('nav.account')}
              </Menu.Item>
              <Menu.Divider />
              <Menu.Label>{t('shell.language')}</Menu.Label>
              {languages.map(language => (
                <Menu.Item
                  key={language}
                  lang={language}
                  leftSection={<IconLanguage size={18} />}
                  aria-current={i18n.language === language}
                  fw={i18n.language === language ? 700 : 400}
                  onClick={() => void chooseLanguage(language)}
                >
                  {language === 'nl' ? 'Nederlands' : 'English'}
                </Menu.Item>
              ))}
              <Menu.Item
                hiddenFrom="sm"
                leftSection={dark ? <IconSun size={18} /> : <IconMoon size={18} />}
                onClick={() => setColorScheme(dark ? 'light' : 'dark')}
              >
                {dark ? t('shell.toLight') : t('shell.toDark')}
              </Menu.Item>
              <Menu.Divider />
              <Menu.Item leftSection={<IconLogout size={18} />} onClick={waiting > 0 ? ask : () => void signOut()}>
                {t('shell.signOut')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      >
        {t('shell.unsentText')}
      </Confirm>
    </>
  )
}
