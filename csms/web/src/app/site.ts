import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

/** Returns the site that the cockpit looks at (null: all) and how to look at another. */
export function useSiteFilter(): [string | null, (site: string | null) => void] {
  const search = useSearch({ strict: false }) as { site?: string }
  const navigate = useNavigate()
  const set = useCallback(
    (site: string | null) => {
      void navigate({
        to: '.',
        search: ((before: Record<string, unknown>) => ({ ...before, site: site ?? undefined })) as never,
        replace: true,
      })
    },
    [navigate],
  )
  return [search.site ?? null, set]
}
