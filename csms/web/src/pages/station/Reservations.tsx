import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { type ListColumn, Listing, useListing } from '@/parts/Listing'
import { Section } from '@/parts/Section'
import { Booking } from '../reservations/Booking'
import { pathOf, type Reservation } from '../reservations/booking'
import { everyS, useReservationHints } from '../reservations/hints'
import { State } from '../reservations/State'
import type { Station } from './data'

/** Who has reserved what at this station. */
export function Reservations({ station }: { station: Station }) {
  const { may } = useMe()
  const path = `/api/reservations?stationId=${encodeURIComponent(station.id)}&limit=10&pending=true`
  const list = useListing<Reservation>(path, everyS)
  useReservationHints(list.items)
  const columns: ListColumn<Reservation>[] = [
    { header: 'Connector', cell: (row) => (row.connectorId === 0 ? 'any' : row.connectorId) },
    { header: 'Id tag', cell: (row) => row.idTag },
    {
      header: 'State',
      cell: (row) => <State reservation={row} />,
    },
    { header: 'Until', cell: (row) => <Ago at={row.expiresAt} />, align: 'right' },
    {
      header: '',
      align: 'right',
      cell: (row) =>
        may('operator') &&
        row.status === 'active' && (
          <ConfirmAction
            size="compact-xs"
            title={`Cancel the reservation of ${row.idTag}?`}
            text="The station frees the connector; whoever it was kept for is not told by us."
            confirm="Cancel it"
            act={() => sendJson('DELETE', pathOf(row))}
            onDone={() => void list.refetch()}
          >
            Cancel
          </ConfirmAction>
        ),
    },
  ]
  return (
    <Section
      title="Reservations"
      actions={may('operator') && station.online && <Reserve station={station} />}
    >
      <Listing
        label="Reservations"
        list={list}
        columns={columns}
        rowKey={(row, index) => `${row.reservationId} ${index}`}
        empty="Nothing is reserved here."
      />
    </Section>
  )
}

function Reserve({ station }: { station: Station }) {
  const [opened, { open, close }] = useDisclosure(false)
  return (
    <>
      <Button variant="default" onClick={open}>
        Reserve
      </Button>
      {opened && <Booking stationId={station.id} here close={close} />}
    </>
  )
}
