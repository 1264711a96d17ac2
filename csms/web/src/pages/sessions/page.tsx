import { Button, Group, SegmentedControl, TextInput } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useDeferredValue, useMemo } from 'react'
import { useSiteFilter } from '@/app/site'
import { useLoaded, useSessions, useStations } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { count, duration, energy, money, percent, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StationSelect } from '@/parts/StationSelect'
import { StatusBadge } from '@/parts/StatusBadge'
import type { Session } from './data'
import { FLAGS } from './words'

interface Search {
  status?: 'completed'
  stationId?: string
  idTag?: string
}

interface Row {
  session: Session
  station: LiveStation | undefined
}

/** Sessions: those that run, live, and those that have ended. */
export default function SessionsPage() {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const set = (change: Search) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })
  const open = (row: Row) =>
    void navigate({ to: '/sessions/$sessionId', params: { sessionId: row.session.id } as never })
  const stations = useStations()
  const [site] = useSiteFilter()
  const byId = useMemo(() => new Map(stations.map((station) => [station.id, station])), [stations])
  const idTag = useDeferredValue(search.idTag ?? '')
  const completed = search.status === 'completed'
  const chosen = { byId, site, stationId: search.stationId ?? null, idTag, open }

  return (
    <>
      <PageHeader
        title="Sessions"
        subtitle={completed ? 'Ended, the newest first' : 'Running now'}
        actions={
          <Button
            component="a"
            variant="default"
            leftSection={<Icon name="download" size={14} />}
            href={`/api/sessions?${query(search, 1000)}&format=csv`}
            download="sessions.csv"
          >
            CSV
          </Button>
        }
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Sessions">
        <SegmentedControl
          aria-label="Which"
          size="xs"
          value={completed ? 'completed' : 'active'}
          onChange={(value) => set({ status: value === 'completed' ? 'completed' : undefined })}
          data={[
            { value: 'active', label: 'Running' },
            { value: 'completed', label: 'Ended' },
          ]}
        />
        <StationSelect
          value={search.stationId}
          onChange={(value) => set({ stationId: value ?? undefined })}
        />
        <TextInput
          data-filter
          aria-label="Id tag"
          placeholder="Id tag"
          leftSection={<Icon name="tag" size={15} />}
          w={{ base: '100%', xs: 180 }}
          value={search.idTag ?? ''}
          onChange={(event) => set({ idTag: event.currentTarget.value || undefined })}
        />
      </Group>
      {completed ? <Ended {...chosen} /> : <Running {...chosen} />}
    </>
  )
}

interface Chosen {
  byId: ReadonlyMap<string, LiveStation>
  site: string | null
  stationId: string | null
  idTag: string
  open: (row: Row) => void
}

function Running({ byId, site, stationId, idTag, open }: Chosen) {
  const sessions = useSessions()
  const loaded = useLoaded('sessions')
  const rows = useMemo(() => {
    const tag = idTag.toUpperCase()
    return sessions
      .filter(
        (session) =>
          session.status === 'active' &&
          (stationId === null || session.stationId === stationId) &&
          (site === null || byId.get(session.stationId)?.siteId === site) &&
          session.idTag.toUpperCase().includes(tag),
      )
      .map((session) => ({ session: session as unknown as Session, station: byId.get(session.stationId) }))
  }, [sessions, byId, site, stationId, idTag])
  return (
    <DataTable
      label="Running sessions"
      columns={RUNNING}
      rows={rows}
      rowKey={(row) => row.session.id}
      onOpen={open}
      order={{ column: 'power', descending: true }}
      empty={
        <EmptyState icon="bolt" title={loaded ? 'No car is charging' : 'Loading …'}>
          {loaded && 'A session stands here from the moment its charger reports it.'}
        </EmptyState>
      }
    />
  )
}

function Ended({ byId, site, stationId, idTag, open }: Chosen) {
  const list = useListing<Session>(
    `/api/sessions?${query({ status: 'completed', ...(stationId ? { stationId } : {}), ...(idTag ? { idTag } : {}) }, 200)}`,
    30,
  )
  const rows = useMemo(
    () =>
      (list.items ?? [])
        .map((session) => ({ session, station: byId.get(session.stationId) }))
        .filter((row) => site === null || row.station?.siteId === site),
    [list.items, byId, site],
  )
  if (list.error) return <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
  return (
    <>
      <DataTable
        label="Ended sessions"
        columns={ENDED}
        rows={rows}
        rowKey={(row) => row.session.id}
        onOpen={open}
        empty={
          <EmptyState icon="bolt" title={list.items === undefined ? 'Loading …' : 'No session has ended so'}>
            {list.items !== undefined && 'Take a filter away, or look at those that run.'}
          </EmptyState>
        }
      />
      {list.hasNextPage && (
        <Group mt="xs" gap="sm">
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show older ones
          </Button>
          <span className="dimmed">{count(rows.length)} shown</span>
        </Group>
      )}
    </>
  )
}

/** Returns the query of the API for what is chosen. */
function query(search: Search, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit), status: search.status ?? 'active' })
  if (search.stationId) query.set('stationId', search.stationId)
  if (search.idTag) query.set('idTag', search.idTag)
  return query.toString()
}

const WHERE: Column<Row> = {
  id: 'station',
  header: 'Station',
  cell: ({ session, station }) => (
    <>
      <PageLink to="/sessions/$sessionId" params={{ sessionId: session.id }} className="row-link">
        {station?.name ?? session.stationId}
      </PageLink>
      <span className="dimmed"> · {session.connectorId}</span>
    </>
  ),
  value: ({ session, station }) => `${station?.name ?? session.stationId} ${session.connectorId}`,
}

const TAG: Column<Row> = {
  id: 'tag',
  header: 'Id tag',
  cell: ({ session }) => session.idTag,
  value: ({ session }) => session.idTag,
  from: 620,
}

const ENERGY: Column<Row> = {
  id: 'energy',
  header: 'Energy',
  align: 'right',
  width: 110,
  cell: ({ session }) => energy(session.energyKwh),
  value: ({ session }) => session.energyKwh,
}

const COST: Column<Row> = {
  id: 'cost',
  header: 'Cost',
  align: 'right',
  width: 110,
  cell: ({ session }) => money(session.cost, session.currency),
  value: ({ session }) => session.cost,
  from: 760,
}

const STARTED: Column<Row> = {
  id: 'started',
  header: 'Started',
  align: 'right',
  width: 120,
  cell: ({ session }) => <Ago at={session.startedAt} />,
  value: ({ session }) => Date.parse(session.startedAt),
  from: 480,
}

const ODD: Column<Row> = {
  id: 'flags',
  header: 'Odd',
  cell: ({ session }) => session.flags.map((flag) => FLAGS[flag] ?? flag).join(', '),
  value: ({ session }) => session.flags.length,
  from: 1000,
}

const RUNNING: readonly Column<Row>[] = [
  WHERE,
  TAG,
  {
    id: 'power',
    header: 'Power',
    align: 'right',
    width: 100,
    cell: ({ session }) => power(session.powerKw),
    value: ({ session }) => session.powerKw,
  },
  {
    id: 'limit',
    header: 'Limit',
    align: 'right',
    width: 100,
    cell: ({ session }) => power(session.limitKw),
    value: ({ session }) => session.limitKw,
    from: 560,
  },
  ENERGY,
  {
    id: 'soc',
    header: 'Charge',
    align: 'right',
    width: 90,
    cell: ({ session }) => percent(session.socPercent),
    value: ({ session }) => session.socPercent,
    from: 700,
  },
  COST,
  STARTED,
  ODD,
]

const ENDED: readonly Column<Row>[] = [
  WHERE,
  TAG,
  ENERGY,
  COST,
  STARTED,
  {
    id: 'took',
    header: 'Took',
    align: 'right',
    width: 110,
    cell: ({ session }) => duration(tookS(session)),
    value: tookSeconds,
    from: 860,
  },
  {
    id: 'why',
    header: 'Ended by',
    cell: ({ session }) => session.stopReason ?? <StatusBadge status="Pending" text="No stop reported" />,
    value: ({ session }) => session.stopReason,
    from: 700,
  },
  ODD,
]

function tookSeconds({ session }: Row): number | null {
  return tookS(session)
}

function tookS(session: Session): number | null {
  if (session.stoppedAt === null) return null
  return (Date.parse(session.stoppedAt) - Date.parse(session.startedAt)) / 1000
}
