import { Button, Checkbox, Group, Loader, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useDeferredValue, useMemo } from 'react'
import { useMe } from '@/api/me'
import { hasPage } from '@/app/pages'
import { useSiteFilter } from '@/app/site'
import { useLoaded, useSites, useStations } from '@/live/hooks'
import { Ago } from '@/parts/Ago'
import { ChooseAll, choosingColumn, useChosen } from '@/parts/choosing'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { count, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { lookOf, StatusBadge } from '@/parts/StatusBadge'
import { AddMenu } from '../stationedit/AddMenu'
import { Acts } from './Acts'
import { Board } from './Board'
import { ConnectorDots } from './ConnectorDots'
import { countStates, filterRows, orderOf, orderText, rowOf, STATES, type StationRow, sumOf } from './rows'

const StationMap = lazy(async () => ({ default: (await import('./StationMap')).StationMap }))

/** All of it stands in the address, so that a choice can be kept as a bookmark or sent to somebody. */
interface Search {
  q?: string
  state?: string
  view?: 'board' | 'map'
  sort?: string
  group?: 'site'
}

export default function StationsPage() {
  const stations = useStations()
  const loaded = useLoaded('stations')
  const sites = useSites()
  const [site] = useSiteFilter()
  const me = useMe()
  const navigate = useNavigate()
  const search = useSearch({ strict: false }) as Search
  const text = useDeferredValue(search.q ?? '')
  const state = search.state ?? null

  const set = (change: { [name in keyof Search]: Search[name] | undefined }) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })

  const open = (row: StationRow) =>
    void navigate({ to: DETAIL, params: { stationId: row.station.id } as never })

  const names = useMemo(() => new Map(sites.map(({ id, name }) => [id, name])), [sites])
  const rows = useMemo(() => stations.map(rowOf), [stations])
  const atSite = useMemo(() => filterRows(rows, { text: '', state: null, site }), [rows, site])
  const shown = useMemo(() => filterRows(atSite, { text, state, site: null }), [atSite, text, state])
  const counts = useMemo(() => countStates(atSite), [atSite])
  const operator = me.may('operator')
  const chosen = useChosen()
  const { ids, toggle } = chosen
  const picked = useMemo(
    () => (ids.size === 0 ? shown : shown.filter((row) => ids.has(row.station.id))),
    [shown, ids],
  )
  const shownIds = useMemo(() => shown.map((row) => row.station.id), [shown])
  const columns = useMemo(() => {
    if (!operator) return columnsOf(names)
    const boxes = choosingColumn<StationRow>(
      { ids, toggle },
      ({ station }) => station.id,
      ({ station }) => station.name,
    )
    return [{ ...boxes, from: 360 }, ...columnsOf(names)]
  }, [names, operator, ids, toggle])
  const add = operator && <AddMenu />
  const callMany = operator && picked.length > 0 && (
    <Acts ids={picked.map((row) => row.station.id)} all={ids.size === 0} />
  )
  const order = useMemo(() => orderOf(search.sort), [search.sort])
  const bySite = useCallback(
    ({ station: { siteId } }: StationRow) => (siteId === null ? '' : (names.get(siteId) ?? siteId)),
    [names],
  )

  if (loaded && stations.length === 0)
    return (
      <>
        {/* in the same place as below: what is open stays open when the first station comes */}
        <PageHeader
          title="Stations"
          actions={
            <>
              {false}
              {add}
            </>
          }
        />
        <EmptyState icon="plug" title="No station yet">
          Point a charger at this system, or say with Add which ones will come.
        </EmptyState>
      </>
    )
  return (
    <>
      <PageHeader
        title="Stations"
        subtitle={loaded ? `${count(shown.length)} of ${count(atSite.length)}` : 'Loading …'}
        actions={
          <>
            {callMany}
            {add}
          </>
        }
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Stations">
        <TextInput
          data-filter
          aria-label="Filter by name, id, vendor, model or firmware"
          placeholder="Name, id, vendor, firmware"
          leftSection={<Icon name="search" size={15} />}
          value={search.q ?? ''}
          onChange={(event) => set({ q: event.currentTarget.value || undefined })}
          w={{ base: '100%', xs: 280 }}
        />
        <Select
          aria-label="State"
          placeholder="Any state"
          clearable
          w={{ base: '100%', xs: 210 }}
          value={state}
          onChange={(value) => set({ state: value ?? undefined })}
          data={STATES.filter((each) => counts.has(each) || each === state).map((each) => ({
            value: each,
            label: `${lookOf(each === 'unknown' ? null : each).text} (${count(counts.get(each) ?? 0)})`,
          }))}
        />
        <Group gap="sm" ml="auto">
          {search.view === undefined && sites.length > 0 && (
            <Checkbox
              size="xs"
              label="By site"
              checked={search.group === 'site'}
              onChange={(event) => set({ group: event.currentTarget.checked ? 'site' : undefined })}
            />
          )}
          <SegmentedControl
            aria-label="View"
            size="xs"
            value={search.view ?? 'table'}
            onChange={(view) => set({ view: view === 'table' ? undefined : (view as 'board' | 'map') })}
            data={VIEWS}
          />
        </Group>
      </Group>
      {search.view === 'board' ? (
        <Board rows={shown} sites={names} />
      ) : search.view === 'map' ? (
        <Suspense fallback={<Loader aria-label="Loading" />}>
          <StationMap rows={shown} />
        </Suspense>
      ) : (
        <DataTable
          label="Stations"
          columns={columns}
          heads={{ choose: <ChooseAll chosen={chosen} ids={shownIds} /> }}
          rows={shown}
          rowKey={(row) => row.station.id}
          order={order}
          onOrder={(next) => set({ sort: orderText(next) === 'name' ? undefined : orderText(next) })}
          group={search.group === 'site' ? bySite : undefined}
          heading={siteHeading}
          onOpen={hasPage(DETAIL) ? open : undefined}
          empty={
            loaded ? (
              <EmptyState
                icon="filter"
                title="No station passes the filter"
                action={
                  <Button variant="default" onClick={() => set({ q: undefined, state: undefined })}>
                    Show all
                  </Button>
                }
              />
            ) : null
          }
        />
      )}
    </>
  )
}

function siteHeading(name: string, rows: readonly StationRow[]) {
  const { charging, faulted, powerKw } = sumOf(rows)
  return (
    <>
      {name || 'Without a site'}{' '}
      <span className="dimmed num">
        {count(rows.length)} {rows.length === 1 ? 'station' : 'stations'}
        {charging > 0 && `, ${count(charging)} charging at ${power(powerKw)}`}
      </span>{' '}
      {faulted > 0 && <StatusBadge status="Faulted" text={`${count(faulted)} faulted`} />}
    </>
  )
}

const DETAIL = '/stations/$stationId'

const VIEWS = [
  { value: 'table', label: 'Table' },
  { value: 'board', label: 'Board' },
  { value: 'map', label: 'Map' },
]

function columnsOf(sites: ReadonlyMap<string, string>): readonly Column<StationRow>[] {
  return [
    {
      id: 'name',
      header: 'Station',
      value: ({ station }) => station.name,
      cell: ({ station }) => (
        <>
          <PageLink to="/stations/$stationId" params={{ stationId: station.id }} className="row-link">
            {station.name}
          </PageLink>
          {station.name !== station.id && <span className="dimmed"> {station.id}</span>}
        </>
      ),
    },
    {
      id: 'state',
      header: 'State',
      width: 170,
      value: ({ state }) => (STATES as readonly string[]).indexOf(state),
      cell: ({ state, station }) => (
        <StatusBadge
          status={state === 'unknown' ? null : state}
          title={station.connectors
            .map(({ connectorId, status }) => `${connectorId}: ${status ?? 'unknown'}`)
            .join('\n')}
        />
      ),
    },
    {
      id: 'connectors',
      header: 'Connectors',
      width: 120,
      from: 560,
      cell: ({ connectors, station }) => <ConnectorDots connectors={connectors} online={station.online} />,
    },
    {
      id: 'power',
      header: 'Power',
      width: 100,
      align: 'right',
      from: 420,
      value: ({ powerKw }) => powerKw,
      cell: ({ powerKw }) => power(powerKw),
    },
    {
      id: 'site',
      header: 'Site',
      width: 170,
      from: 900,
      value: ({ station }) =>
        station.siteId === null ? null : (sites.get(station.siteId) ?? station.siteId),
      cell: ({ station }) => (station.siteId === null ? '–' : (sites.get(station.siteId) ?? station.siteId)),
    },
    {
      id: 'model',
      header: 'Model',
      width: 200,
      from: 1060,
      value: ({ station }) => `${station.vendor ?? ''} ${station.model ?? ''}`.trim(),
      cell: ({ station }) => [station.vendor, station.model].filter(Boolean).join(' ') || '–',
    },
    {
      id: 'firmware',
      header: 'Firmware',
      width: 130,
      from: 1240,
      value: ({ station }) => station.firmwareVersion,
      cell: ({ station }) => station.firmwareVersion ?? '–',
    },
    {
      id: 'seen',
      header: 'Last seen',
      width: 120,
      from: 720,
      align: 'right',
      value: ({ station }) => (station.lastSeenAt === null ? null : Date.parse(station.lastSeenAt)),
      cell: ({ station }) => <Ago at={station.lastSeenAt} />,
    },
  ]
}
