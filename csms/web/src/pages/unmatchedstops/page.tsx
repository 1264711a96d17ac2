import { Button, Group } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { AsItCame } from '@/parts/AsItCame'
import { EmptyState } from '@/parts/EmptyState'
import { Listing, useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { StationSelect } from '@/parts/StationSelect'
import { stationColumn } from '@/parts/stationColumn'
import { said } from './said'

type UnmatchedStop = components['schemas']['UnmatchedStopOut']

interface Search {
  stationId?: string | undefined
}

/** Stops that were answered and fit no session: they may tell of energy that nobody pays for. */
export default function UnmatchedStopsPage() {
  const { stationId } = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const show = (station: string | undefined) =>
    void navigate({ to: '.', search: { stationId: station } as never, replace: true })
  const query = new URLSearchParams(stationId ? { stationId } : {})
  const list = useListing<UnmatchedStop>(`/api/unmatched-stops?${query}`)
  return (
    <>
      <PageHeader
        title="Unmatched stops"
        subtitle="Stops that fit no session. They were answered and changed nothing, but may tell of energy that no session has."
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Unmatched stops">
        <StationSelect value={stationId} onChange={(value) => show(value ?? undefined)} />
      </Group>
      {list.items?.length === 0 ? (
        stationId === undefined ? (
          <EmptyState icon="check" title="Every stop fits a session" />
        ) : (
          <EmptyState
            icon="filter"
            title="Every stop of this station fits a session"
            action={
              <Button variant="default" onClick={() => show(undefined)}>
                Show all stations
              </Button>
            }
          />
        )
      ) : (
        <section className="card" style={{ padding: '4px 14px 12px' }} aria-label="Stops">
          <Listing
            label="Stops that fit no session"
            list={list}
            rowKey={(row) => row.id}
            empty=""
            stacked
            columns={[
              { header: 'Came', fixed: true, cell: (row) => <Ago at={row.receivedAt} /> },
              stationColumn<UnmatchedStop>('messages'),
              {
                header: 'What it says, and what it may mean',
                wide: true,
                cell: (row) => (
                  <>
                    <b>{said(row.payload)}</b>: {row.text}{' '}
                    <AsItCame action="StopTransaction" raw={JSON.stringify(row.payload)} />
                  </>
                ),
              },
            ]}
          />
        </section>
      )}
    </>
  )
}
