import { Button, Group, Select } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { useSiteFilter } from '@/app/site'
import { useStations } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { CsvButton } from '@/parts/CsvButton'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { Icon } from '@/parts/Icon'
import { nextOf, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StationSelect } from '@/parts/StationSelect'
import { lookOf } from '@/parts/StatusBadge'
import { Booking } from './Booking'
import { keysOf, pathOf, type Reservation, STATES } from './booking'
import { everyS, useReservationHints } from './hints'
import { State } from './State'

interface Search {
  status?: string | undefined
  stationId?: string | undefined
}

interface Row {
  key: string
  reservation: Reservation
  station: LiveStation | undefined
}

/** Reservations: what is kept for whom, and what has become of it. */
export default function ReservationsPage() {
  const { may } = useMe()
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const set = (change: Search) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })
  const stations = useStations()
  const [site] = useSiteFilter()
  const [booking, setBooking] = useState<{ known?: Reservation } | null>(null)
  const path = `/api/reservations?${query(search)}`
  const list = useListing<Reservation>(`${path}&pending=true`, everyS, { keeps: true })
  useReservationHints(list.items)
  const rows = useMemo(() => {
    const byId = new Map(stations.map((station) => [station.id, station]))
    const keys = keysOf(list.items ?? [])
    return (list.items ?? [])
      .map((reservation, at) => ({
        key: keys[at] ?? '',
        reservation,
        station: byId.get(reservation.stationId),
      }))
      .filter((row) => site === null || row.station?.siteId === site)
  }, [list.items, stations, site])
  const operator = may('operator')
  const columns = useMemo(
    () => (operator ? [...COLUMNS, actionsColumn((known) => setBooking({ known }))] : COLUMNS),
    [operator],
  )
  const narrowed = search.status !== undefined || search.stationId !== undefined || site !== null
  const reserve = (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setBooking({})}>
      Reserve
    </Button>
  )

  return (
    <>
      <PageHeader
        title="Reservations"
        subtitle="What is kept for whom, the newest first"
        actions={
          <>
            <CsvButton path={path} name="reservations.csv" />
            {operator && reserve}
          </>
        }
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Reservations">
        <Select
          aria-label="State"
          placeholder="Any state"
          clearable
          w={{ base: '100%', xs: 160 }}
          value={search.status ?? null}
          onChange={(value) => set({ status: value ?? undefined })}
          data={Object.keys(STATES).map((status) => ({ value: status, label: lookOf(status).text }))}
        />
        <StationSelect
          value={search.stationId}
          onChange={(value) => set({ stationId: value ?? undefined })}
        />
      </Group>
      {list.error && list.items === undefined ? (
        <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
      ) : (
        <DataTable
          label="Reservations"
          columns={columns}
          rows={rows}
          rowKey={(row) => row.key}
          onEnd={nextOf(list)}
          busy={list.isPlaceholderData}
          empty={
            list.items === undefined ? (
              <EmptyState icon="calendar" title="Loading …" />
            ) : narrowed ? (
              <EmptyState icon="filter" title="No such reservation">
                Take a filter away.
              </EmptyState>
            ) : (
              <EmptyState icon="calendar" title="Nothing is reserved" action={operator && reserve}>
                A reservation keeps a connector for one id tag until a time; the charger refuses others.
              </EmptyState>
            )
          }
        />
      )}
      {booking && (
        <Booking
          {...(booking.known ? { known: booking.known } : { stationId: search.stationId })}
          close={() => setBooking(null)}
        />
      )}
    </>
  )
}

function query(search: Search): string {
  const query = new URLSearchParams({ limit: '200' })
  if (search.status) query.set('status', search.status)
  if (search.stationId) query.set('stationId', search.stationId)
  return query.toString()
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'station',
    header: 'Station',
    cell: ({ reservation, station }) => (
      <>
        <PageLink
          to="/stations/$stationId"
          params={{ stationId: reservation.stationId }}
          className="row-link"
        >
          {station?.name ?? reservation.stationId}
        </PageLink>
        <span className="dimmed">
          {' · '}
          {reservation.connectorId === 0 ? 'any' : reservation.connectorId}
        </span>
      </>
    ),
    value: ({ reservation, station }) => station?.name ?? reservation.stationId,
  },
  {
    id: 'tag',
    header: 'Id tag',
    cell: ({ reservation }) => (
      <PageLink to="/id-tags" search={{ tag: reservation.idTag }}>
        {reservation.idTag}
      </PageLink>
    ),
    value: ({ reservation }) => reservation.idTag,
    from: 480,
  },
  {
    id: 'state',
    header: 'State',
    width: 150,
    cell: ({ reservation }) => <State reservation={reservation} />,
    value: ({ reservation }) => reservation.status,
  },
  {
    id: 'until',
    header: 'Until',
    align: 'right',
    width: 120,
    cell: ({ reservation }) => <Ago at={reservation.expiresAt} />,
    value: ({ reservation }) => Date.parse(reservation.expiresAt),
  },
  {
    id: 'session',
    header: 'Session',
    align: 'right',
    width: 110,
    cell: ({ reservation }) =>
      reservation.sessionId === null ? (
        '–'
      ) : (
        <PageLink to="/sessions/$sessionId" params={{ sessionId: reservation.sessionId }}>
          {reservation.sessionId}
        </PageLink>
      ),
    from: 700,
  },
]

function actionsColumn(change: (reservation: Reservation) => void): Column<Row> {
  return {
    id: 'actions',
    header: 'Actions',
    align: 'right',
    width: 170,
    cell: ({ reservation }) =>
      reservation.status === 'active' && (
        <Group gap={6} justify="flex-end" wrap="nowrap">
          <Button size="compact-xs" variant="default" onClick={() => change(reservation)}>
            Change
          </Button>
          <Cancel reservation={reservation} />
        </Group>
      ),
  }
}

function Cancel({ reservation }: { reservation: Reservation }) {
  const queries = useQueryClient()
  return (
    <ConfirmAction
      size="compact-xs"
      title={`Cancel the reservation of ${reservation.idTag}?`}
      text="The station frees the connector; whoever it was kept for is not told by us."
      confirm="Cancel it"
      act={() => sendJson('DELETE', pathOf(reservation))}
      onDone={() => {
        tellDone('The station has cancelled it.')
        void queries.invalidateQueries({ queryKey: ['reservations'] })
      }}
    >
      Cancel
    </ConfirmAction>
  )
}
