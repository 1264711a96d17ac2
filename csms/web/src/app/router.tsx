import {
  type AsyncRouteComponent,
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router'
import { EmptyState } from '@/parts/EmptyState'
import { PageHeader } from '@/parts/PageHeader'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { useMe } from '../api/me'
import { asProblem } from '../api/problem'
import { PAGES, type PageRoute, type Role } from './pages'
import { Shell } from './Shell'

interface RootSearch {
  /** The site that the cockpit looks at; none: all. Kept from page to page. */
  site?: string
}

const root = createRootRoute({
  component: Shell,
  validateSearch: (search: Record<string, unknown>): RootSearch =>
    typeof search.site === 'string' && search.site !== '' ? { site: search.site } : {},
  search: { middlewares: [retainSearchParams<RootSearch>(['site'])] },
  notFoundComponent: () => (
    <>
      <PageHeader title="There is no such page" />
      <EmptyState icon="search" title="Nothing is here" action={<Link to="/">To the overview</Link>}>
        The address may be mistyped, or what it showed is gone.
      </EmptyState>
    </>
  ),
  errorComponent: ({ error, reset }) => (
    <ProblemNotice problem={asProblem(error)} title="This page has failed" retry={reset} />
  ),
})

const pages = PAGES.map((page) =>
  createRoute({ getParentRoute: () => root, path: page.path, component: forRole(page) }),
)

/** Returns a page that says so to whom it is not for, instead of showing what the server refuses. */
function forRole({ load, role }: PageRoute) {
  // its types know functions only, a page may be any component
  const Page = lazyRouteComponent(load) as AsyncRouteComponent<object>
  if (role === undefined) return Page
  const Guarded = () => (useMe().may(role) ? <Page /> : <NotForYou role={role} />)
  return Object.assign(Guarded, { preload: Page.preload })
}

function NotForYou({ role }: { role: Role }) {
  const who = role === 'admin' ? 'administrators' : 'operators'
  return (
    <>
      <PageHeader title="Not for your role" />
      <EmptyState icon="lock" title={`This page is for ${who}`} action={<Link to="/">To the overview</Link>}>
        Ask an administrator if you need it.
      </EmptyState>
    </>
  )
}

// where the sign-in link of a signed-in operator leads
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  beforeLoad: () => {
    throw redirect({ to: '/' })
  },
})

// addresses are texts here: pages come and go by their folders, not by one tree of types
export const router = createRouter({
  routeTree: root.addChildren([...pages, signIn]),
  defaultPreload: 'intent',
  scrollRestoration: true,
})
