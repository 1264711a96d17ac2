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
        subtitle={loaded ? connections(sites.length) : 'Loading …'}
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
    header: 'Power',
    width: 96,
    align: 'right',
    value: ({ powerKw }) => powerKw,
    cell: ({ powerKw }) => power(powerKw),
  },
  {
    id: 'supply',
    header: 'May draw',
    width: 106,
    align: 'right',
    value: supplyOf,
    cell: (site) => power(supplyOf(site)),
  },
  {
    id: 'used',
    header: 'Used',
    width: 170,
    from: 560,
    value: (site) => (site.powerKw ?? 0) / supplyOf(site),
    cell: (site) => (
      <PowerBar
        label={`Power of ${site.name}`}
        value={site.powerKw}
        capacity={supplyOf(site)}
        numbers={false}
      />
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
    from: 480,
    value: ({ activeSessions }) => activeSessions,
    cell: ({ activeSessions }) => count(activeSessions),
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
    width: 190,
    from: 760,
    value: ({ warnings, limitKw, gridCapacityKw }) =>
      (warnings?.length ?? 0) * 2 + Number(limitKw !== null && limitKw < gridCapacityKw),
    cell: (site) => <State site={site} />,
  },
]

function State({ site }: { site: LiveSite }) {
  const { warnings = [], limitKw, gridCapacityKw } = site
  if (warnings.length > 0)
    return (
      <StatusBadge
        status="warning"
        tone="warning"
        text={warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`}
        title={warnings.join('\n')}
      />
    )
  if (limitKw !== null && limitKw < gridCapacityKw)
    return <StatusBadge status="limited" tone="warning" text={`Limited from ${power(gridCapacityKw)}`} />
  return <StatusBadge status="fine" tone="good" text="Fine" />
}

/** Returns how many there are, in words; nothing where there is none to speak of. */
function connections(sites: number): string | undefined {
  if (sites === 0) return undefined
  if (sites === 1) return '1 grid connection, shared by its stations'
  return `${count(sites)} grid connections, each shared by its stations`
}
