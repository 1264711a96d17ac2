import {
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
import { asProblem } from '../api/problem'
import { PAGES } from './pages'
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
  createRoute({ getParentRoute: () => root, path: page.path, component: lazyRouteComponent(page.load) }),
)

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
