import type { ComponentType } from 'react'
import type { IconName } from '@/parts/Icon'

export type Role = 'admin' | 'operator' | 'viewer' | 'driver'

export interface NavEntry {
  /** In the navigation, in this section, lower orders first. */
  section: 'now' | 'power' | 'drivers' | 'records' | 'system'
  label: string
  icon: IconName
  order: number
  /** Letter of the keyboard shortcut `g` + letter; unique over all pages. */
  key?: string
  /** A hook that says whether the entry is shown now. Default: it is. */
  useShown?: () => boolean
}

export interface PageRoute {
  /** As TanStack Router spells it: `/stations/$stationId`. */
  path: string
  /** The page's module; its default export is the component. Loaded when it is first shown. */
  load: () => Promise<{ default: ComponentType }>
  nav?: NavEntry
  /** The least role that may see it; the navigation hides it from others. Default: viewer. */
  role?: Role
}

/** Declares the pages of a folder: the default export of its `route.ts`. */
export function definePages(...pages: PageRoute[]): readonly PageRoute[] {
  return pages
}

/** Every page there is: each folder `src/pages/<noun>/route.ts` is found by itself. */
export const PAGES: readonly PageRoute[] = Object.values(
  import.meta.glob<{ default: readonly PageRoute[] }>('../pages/*/route.ts', { eager: true }),
).flatMap((module) => module.default)

const PATHS: ReadonlySet<string> = new Set(PAGES.map((page) => page.path))

/** Returns whether there is such a page (`/stations/$stationId`): nothing links to what is not there. */
export function hasPage(path: string): boolean {
  return PATHS.has(path)
}
