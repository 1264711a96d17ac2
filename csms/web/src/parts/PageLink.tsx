import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { hasPage } from '@/app/pages'

interface PageLinkProps {
  /** As the page is registered: `/stations/$stationId`. */
  to: string
  params?: Record<string, string>
  search?: Record<string, string | undefined>
  className?: string
  children: ReactNode
}

/** A link to another page; plain text where there is no such page. */
export function PageLink({ to, params, search, className, children }: PageLinkProps) {
  if (!hasPage(to)) return <span className={className}>{children}</span>
  return (
    <Link
      to={to}
      className={className}
      {...(params ? { params: params as never } : {})}
      {...(search ? { search: ((before: object) => ({ ...siteOf(before), ...search })) as never } : {})}
    >
      {children}
    </Link>
  )
}

function siteOf(search: object): object {
  return 'site' in search ? { site: search.site } : {}
}
