import { Button, Group, SegmentedControl } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useSiteFilter } from '@/app/site'
import { useLoaded, useSessions, useStations } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { CsvButton } from '@/parts/CsvButton'
import { type Column, DataTable } from '@/parts/DataTable'
import { DayRange } from '@/parts/DayRange'
import { EmptyState } from '@/parts/EmptyState'
import { duration, energy, money, percent, power, unitPrice } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { nextOf, useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { PowerNow, powerNow } from '@/parts/PowerNow'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StationSelect } from '@/parts/StationSelect'
import { StatusBadge } from '@/parts/StatusBadge'
import { TagInput } from '@/parts/TagInput'
import type { Session } from './data'
import { queryOf, type Search } from './filter'
import { FLAGS, STOPS } from './words'

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
  const [idTag] = useDebouncedValue(search.idTag, 250)
  const completed = search.status === 'completed'
  const query = queryOf({ ...search, idTag }, site)

  return (
    <>
      <PageHeader
        title="Sessions"
        subtitle={completed ? 'Ended, the newest first' : 'Running now'}
        actions={
          <CsvButton
            path={`/api/sessions?${query}`}
            name={completed ? 'sessions.csv' : 'sessions-running.csv'}
          />
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
        <TagInput
          data-filter
          aria-label="Id tag"
          placeholder={completed ? 'The whole id tag' : 'Id tag'}
          leftSection={<Icon name="tag" size={15} />}
          w={{ base: '100%', xs: 180 }}
          value={search.idTag ?? ''}
          onChange={(value) => set({ idTag: value || undefined })}
        />
        {completed && <DayRange bare from={search.from} to={search.to} set={set} />}
      </Group>
      {completed ? (
        <Ended
          query={query}
          byId={byId}
          open={open}
          showAll={() => set({ stationId: undefined, idTag: undefined, from: undefined, to: undefined })}
        />
      ) : (
        <Running
          byId={byId}
          site={site}
          stationId={search.stationId ?? null}
          idTag={idTag?.trim() ?? ''}
          open={open}
        />
      )}
    </>
  )
}

interface RunningProps {
  byId: ReadonlyMap<string, LiveStation>
  site: string | null
  stationId: string | null
  idTag: string
  open: (row: Row) => void
}

function Running({ byId, site, stationId, idTag, open }: RunningProps) {
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

interface EndedProps {
  query: string
  byId: ReadonlyMap<string, LiveStation>
  open: (row: Row) => void
  showAll: () => void
}

function Ended({ query, byId, open, showAll }: EndedProps) {
  const list = useListing<Session>(`/api/sessions?${query}&limit=200`, 30, { keeps: true })
  const { items, hasNextPage } = list
  const rows = useMemo(
    () => (items ?? []).map((session) => ({ session, station: byId.get(session.stationId) })),
    [items, byId],
  )
  // the order of a part would be taken for that of all
  const columns = useMemo(
    () => (hasNextPage ? ENDED.map(({ value: _, ...column }) => column) : ENDED),
    [hasNextPage],
  )
  if (list.error && items === undefined)
    return <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
  return (
    <DataTable
      label="Ended sessions"
      columns={columns}
      rows={rows}
      rowKey={(row) => row.session.id}
      onOpen={open}
      onEnd={nextOf(list)}
      busy={list.isPlaceholderData}
      empty={
        items === undefined ? (
          <EmptyState icon="bolt" title="Loading …" />
        ) : query === 'status=completed' ? (
          <EmptyState icon="bolt" title="No session has ended yet">
            Look at those that run.
          </EmptyState>
        ) : (
          <EmptyState
            icon="filter"
            title="No session passes the filter"
            action={
              <Button variant="default" onClick={showAll}>
                Show all
              </Button>
            }
          >
            {query.includes('idTag=') && 'Id tags are compared as a whole.'}
          </EmptyState>
        )
      }
    />
  )
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
  width: 180,
  from: 620,
}

const ENERGY: Column<Row> = {
  id: 'energy',
  header: 'Energy',
  align: 'right',
  width: 100,
  cell: ({ session }) => energy(session.energyKwh),
  value: ({ session }) => session.energyKwh,
}

const COST: Column<Row> = {
  id: 'cost',
  header: 'Cost',
  align: 'right',
  width: 100,
  cell: ({ session }) =>
    session.cost === null ? (
      <span className="dimmed" title="Its energy is not certain.">
        not billed
      </span>
    ) : (
      <span title={`${unitPrice(session.pricePerKwh, session.currency)} a kWh`}>
        {money(session.cost, session.currency)}
      </span>
    ),
  value: ({ session }) => session.cost,
}

const PRICE: Column<Row> = {
  id: 'price',
  header: 'Price a kWh',
  align: 'right',
  width: 115,
  cell: ({ session }) => unitPrice(session.pricePerKwh, session.currency),
  value: ({ session }) => session.pricePerKwh,
  from: 1100,
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
  width: 150,
  from: 1000,
}

const RUNNING: readonly Column<Row>[] = [
  WHERE,
  TAG,
  {
    id: 'power',
    header: 'Power',
    align: 'right',
    width: 90,
    cell: (row) => <PowerNow {...row} />,
    value: ({ session, station }) => powerNow(session, station),
  },
  {
    id: 'limit',
    header: 'Limit',
    align: 'right',
    width: 100,
    cell: ({ session }) => power(session.limitKw),
    value: ({ session }) => session.limitKw,
    from: 620,
  },
  ENERGY,
  {
    id: 'soc',
    header: 'Charge',
    align: 'right',
    width: 90,
    cell: ({ session }) => percent(session.socPercent),
    value: ({ session }) => session.socPercent,
    from: 760,
  },
  { ...COST, from: 480 },
  PRICE,
  STARTED,
  ODD,
]

const ENDED: readonly Column<Row>[] = [
  WHERE,
  TAG,
  ENERGY,
  COST,
  PRICE,
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
    width: 150,
    cell: ({ session }) =>
      session.stopReason === null ? (
        <StatusBadge status="Pending" text="No stop reported" />
      ) : (
        <span title={STOPS[session.stopReason]}>{session.stopReason}</span>
      ),
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
