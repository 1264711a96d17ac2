import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Menu,
  ScrollArea,
  Select,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router'
import { Suspense, useEffect, useMemo } from 'react'
import { type Me, signOut, useMe } from '@/api/me'
import { useAttention, useLiveLink, useSites } from '@/live/hooks'
import { Icon } from '@/parts/Icon'
import { type Shortcut, useShortcuts } from './keys'
import { LinkBanner, LiveDot } from './LinkState'
import { type NavEntry, PAGES, type PageRoute } from './pages'
import classes from './Shell.module.css'
import { ShortcutHelp } from './ShortcutHelp'
import { useSiteFilter } from './site'

const SECTIONS: readonly [NavEntry['section'], string][] = [
  ['now', 'Now'],
  ['power', 'Power'],
  ['drivers', 'Drivers'],
  ['records', 'Records'],
  ['system', 'System'],
]

interface NavPage extends PageRoute {
  nav: NavEntry
}

/** The frame of every page: navigation, site switch, state of the live link, who is signed in. */
export function Shell() {
  useLiveLink()
  const me = useMe()
  const navigate = useNavigate()
  const [menu, { toggle: toggleMenu, close: closeMenu }] = useDisclosure(false)
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure(false)
  const path = useRouterState({ select: (state) => state.location.pathname })
  const { toggleScheme } = useScheme()

  const pages = useMemo(
    () =>
      PAGES.filter((page): page is NavPage => page.nav !== undefined && me.may(page.role ?? 'viewer')).sort(
        (a, b) => a.nav.order - b.nav.order,
      ),
    [me.may],
  )
  const shortcuts = useMemo<readonly Shortcut[]>(
    () => [
      ...pages.flatMap(({ nav, path: to }) =>
        nav.key
          ? [{ keys: `g ${nav.key}`, text: `Go to ${nav.label}`, act: () => void navigate({ to }) }]
          : [],
      ),
      { keys: '/', text: 'Search or filter this page', act: focusFilter },
      { keys: 'd', text: 'Light or dark', act: toggleScheme },
      { keys: '?', text: 'Show these shortcuts', act: openHelp },
    ],
    [pages, navigate, openHelp, toggleScheme],
  )
  useShortcuts(shortcuts)

  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu of a phone
  useEffect(closeMenu, [path])

  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 196, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      padding={{ base: 'sm', sm: 'md' }}
    >
      <a href="#main" className="skip-link">
        Skip to content
      </a>
      <AppShell.Header className={classes.header}>
        <Burger
          opened={menu}
          onClick={toggleMenu}
          hiddenFrom="sm"
          size="sm"
          aria-label="Navigation"
          aria-expanded={menu}
        />
        <Link to="/" className={classes.brand}>
          <Icon name="bolt" size={20} color="var(--mantine-color-petrol-5)" />
          <span>csms</span>
        </Link>
        <SiteSwitch />
        <Group gap={6} ml="auto" wrap="nowrap">
          <LiveDot />
          <SchemeSwitch />
          <UserMenu me={me} onHelp={openHelp} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} aria-label="Pages">
        <ScrollArea flex={1} type="auto">
          {SECTIONS.map(([section, title]) => {
            const inSection = pages.filter((page) => page.nav.section === section)
            if (inSection.length === 0) return null
            return (
              <div key={section} className={classes.section}>
                <div className={classes.sectionTitle} id={`nav-${section}`}>
                  {title}
                </div>
                <ul aria-labelledby={`nav-${section}`} className={classes.list}>
                  {inSection.map((page) => (
                    <NavItem key={page.path} page={page} />
                  ))}
                </ul>
              </div>
            )
          })}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <LinkBanner />
        <Suspense>
          <Outlet />
        </Suspense>
      </AppShell.Main>
      <ShortcutHelp shortcuts={shortcuts} opened={help} onClose={closeHelp} />
    </AppShell>
  )
}

function always(): boolean {
  return true
}

function NavItem({ page }: { page: NavPage }) {
  const { useShown = always } = page.nav
  if (!useShown()) return null
  return (
    <li>
      <Link
        to={page.path}
        className={classes.link}
        activeProps={{ 'data-active': true, 'aria-current': 'page' }}
        activeOptions={{ exact: page.path === '/', includeSearch: false }}
      >
        <Icon name={page.nav.icon} size={17} />
        <span>{page.nav.label}</span>
        {page.path === '/' && <AttentionCount />}
      </Link>
    </li>
  )
}

function focusFilter() {
  document.querySelector<HTMLInputElement>('[data-filter] input, input[data-filter]')?.focus()
}

function AttentionCount() {
  const critical = useAttention().filter((item) => item.severity === 'critical').length
  if (critical === 0) return null
  return (
    <span className={classes.count} title={`${critical} critical`}>
      {critical}
      <span className={classes.hidden}> critical</span>
    </span>
  )
}

function SiteSwitch() {
  const sites = useSites()
  const [site, setSite] = useSiteFilter()
  if (sites.length < 2 && site === null) return null
  const choices = [
    { value: '', label: 'All sites' },
    ...sites
      .map(({ id, name }) => ({ value: id, label: name }))
      .sort((a, b) => a.label.localeCompare(b.label)),
  ]
  return (
    <Select
      aria-label="Site"
      data={choices}
      value={site ?? ''}
      onChange={(value) => setSite(value || null)}
      size="xs"
      w={{ base: 130, sm: 200 }}
      searchable={sites.length > 10}
      allowDeselect={false}
      checkIconPosition="right"
    />
  )
}

function useScheme() {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  return useMemo(
    () => ({ scheme, toggleScheme: () => setColorScheme(scheme === 'dark' ? 'light' : 'dark') }),
    [scheme, setColorScheme],
  )
}

function SchemeSwitch() {
  const { scheme, toggleScheme } = useScheme()
  const label = scheme === 'dark' ? 'Light colours' : 'Dark colours'
  return (
    <Tooltip label={label}>
      <ActionIcon onClick={toggleScheme} aria-label={label} color="gray">
        <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
      </ActionIcon>
    </Tooltip>
  )
}

function UserMenu({ me: { name, role, version }, onHelp }: { me: Me; onHelp: () => void }) {
  const { setColorScheme } = useMantineColorScheme()
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon aria-label={`Menu of ${name}`} color="gray">
          <Icon name="user" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {name}
          </Text>
          {role} · csms {version}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="settings" size={15} />} onClick={() => setColorScheme('auto')}>
          Colours of the system
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="info" size={15} />} onClick={onHelp} rightSection="?">
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Item
          leftSection={<Icon name="code" size={15} />}
          component="a"
          href="/api/docs"
          target="_blank"
        >
          API documentation
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="power" size={15} />} onClick={signOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
