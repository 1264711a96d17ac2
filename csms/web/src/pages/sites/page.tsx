import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { useMe } from '@/api/me'
import { useSiteFilter } from '@/app/site'
import { useLoaded, useSites } from '@/live/hooks'
import type { LiveSite } from '@/live/types'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { count, NOTHING, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { PowerBar } from '@/parts/PowerBar'
import { StatusBadge } from '@/parts/StatusBadge'
import { AddSite } from './SiteEditor'

/** All sites: what each draws of what it may. */
export default function SitesPage() {
  const all = useSites()
  const loaded = useLoaded('sites')
  const [filter] = useSiteFilter()
  const { may } = useMe()
  const navigate = useNavigate()
  const [adding, setAdding] = useState(false)
  const sites = useMemo(() => (filter === null ? all : all.filter(({ id }) => id === filter)), [all, filter])
  const open = (siteId: string, tab?: string) =>
    void navigate({
      to: '/sites/$siteId',
      params: { siteId } as never,
      ...(tab ? { search: { tab } as never } : {}),
    })
  const add = may('operator') && (
    <Button onClick={() => setAdding(true)} leftSection={<Icon name="plus" size={14} />}>
      Add a site
    </Button>
  )
  return (
    <>
      <PageHeader
        title="Sites"
        subtitle={loaded ? `${count(sites.length)} that share a grid connection each` : 'Loading …'}
        actions={all.length > 0 && add}
      />
      {loaded && all.length === 0 ? (
        <EmptyState icon="site" title="No site yet" action={add}>
          A site is what shares one grid connection: its stations never draw more together than it may give.
        </EmptyState>
      ) : (
        <DataTable
          label="Sites"
          columns={COLUMNS}
          rows={sites}
          rowKey={({ id }) => id}
          order={{ column: 'name', descending: false }}
          rowHeight={44}
          onOpen={({ id }) => open(id)}
        />
      )}
      {adding && <AddSite close={() => setAdding(false)} added={({ id }) => open(id, 'setup')} />}
    </>
  )
}

/** Returns what a site may draw now: the grid's limit and what its battery gives. */
function supplyOf(site: LiveSite): number {
  return (site.limitKw ?? site.gridCapacityKw) + Math.max(0, site.battery?.powerKw ?? 0)
}

function headroom(site: LiveSite): number | null {
  return site.circuits?.find(({ id }) => id === 'grid')?.headroomKw ?? null
}

const COLUMNS: readonly Column<LiveSite>[] = [
  {
    id: 'name',
    header: 'Site',
    value: ({ name }) => name,
    cell: (site) => (
      <PageLink to="/sites/$siteId" params={{ siteId: site.id }} className="row-link">
        {site.name}
      </PageLink>
    ),
  },
  {
    id: 'power',
    header: 'Power now',
    width: 180,
    value: ({ powerKw }) => powerKw,
    cell: (site) => (
      <PowerBar label={`Power of ${site.name}`} value={site.powerKw} capacity={supplyOf(site)} />
    ),
  },
  {
    id: 'headroom',
    header: 'Headroom',
    width: 110,
    align: 'right',
    from: 640,
    value: headroom,
    cell: (site) => power(headroom(site)),
  },
  {
    id: 'sessions',
    header: 'Sessions',
    width: 100,
    align: 'right',
    from: 460,
    value: ({ activeSessions }) => activeSessions,
    cell: ({ activeSessions }) => count(activeSessions),
  },
  {
    id: 'limit',
    header: 'Limit now',
    width: 190,
    from: 1020,
    value: ({ limitKw }) => limitKw,
    cell: ({ limitKw, gridCapacityKw }) =>
      limitKw !== null && limitKw < gridCapacityKw ? (
        <StatusBadge status="limited" tone="warning" text={`${power(limitKw)} of ${power(gridCapacityKw)}`} />
      ) : (
        power(gridCapacityKw)
      ),
  },
  {
    id: 'battery',
    header: 'Battery',
    width: 110,
    align: 'right',
    from: 880,
    value: ({ battery }) => battery?.powerKw,
    cell: ({ battery }) => (battery ? power(battery.powerKw) : NOTHING),
  },
  {
    id: 'state',
    header: 'State',
    width: 130,
    from: 760,
    value: ({ warnings }) => warnings?.length ?? 0,
    cell: ({ warnings }) =>
      warnings && warnings.length > 0 ? (
        <StatusBadge
          status="warning"
          tone="warning"
          text={warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`}
          title={warnings.join('\n')}
        />
      ) : (
        <StatusBadge status="fine" tone="good" text="Fine" />
      ),
  },
]
