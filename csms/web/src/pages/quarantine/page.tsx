import { Button, Group, SegmentedControl, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { send, sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { components } from '@/api/schema'
import { useStations } from '@/live/hooks'
import { Ago } from '@/parts/Ago'
import { AsItCame } from '@/parts/AsItCame'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { EmptyState } from '@/parts/EmptyState'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone, tellProblem } from '@/parts/notices'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { StationSelect } from '@/parts/StationSelect'
import { StatusBadge } from '@/parts/StatusBadge'

type Refused = components['schemas']['QuarantineOut']

interface Search {
  state?: 'resolved' | 'dismissed' | undefined
  stationId?: string | undefined
}

const STATES = [
  { value: 'open', label: 'Open' },
  { value: 'resolved', label: 'Stored' },
  { value: 'dismissed', label: 'Dismissed' },
]

/** Messages of stations that could not be understood, and were kept. */
export default function QuarantinePage() {
  const { may } = useMe()
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const stations = useStations()
  const state = search.state ?? 'open'
  const set = (change: Search) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })
  const query = new URLSearchParams({ state })
  if (search.stationId) query.set('stationId', search.stationId)
  const list = useListing<Refused>(`/api/quarantine?${query}`, 10)
  const names = new Map(stations.map(({ id, name }) => [id, name]))
  const act = may('operator') && state === 'open'
  return (
    <>
      <PageHeader
        title="Quarantine"
        subtitle="Messages that could not be stored. They are kept as they came: nothing of a session is lost."
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Quarantine">
        <SegmentedControl
          aria-label="State"
          size="xs"
          value={state}
          onChange={(value) =>
            set({ state: value === 'open' ? undefined : (value as 'resolved' | 'dismissed') })
          }
          data={STATES}
        />
        <StationSelect
          value={search.stationId}
          onChange={(value) => set({ stationId: value ?? undefined })}
        />
      </Group>
      {list.items?.length === 0 ? (
        search.stationId !== undefined ? (
          <EmptyState
            icon="filter"
            title={state === 'open' ? 'Nothing of this station is in quarantine' : 'None of this station'}
            action={
              <Button variant="default" onClick={() => set({ stationId: undefined })}>
                Show all stations
              </Button>
            }
          />
        ) : (
          <EmptyState icon="check" title={state === 'open' ? 'Nothing is in quarantine' : 'None'}>
            {state === 'open'
              ? 'Every message of your stations was understood and stored.'
              : 'No message has ended so.'}
          </EmptyState>
        )
      ) : (
        <section className="card" style={{ padding: '4px 14px 12px' }} aria-label="Messages">
          <Listing
            label="Messages in quarantine"
            list={list}
            rowKey={(row) => row.id}
            empty=""
            stacked
            columns={[
              {
                header: 'Came',
                fixed: true,
                cell: (row) => <Ago at={row.receivedAt} />,
              },
              {
                header: 'Station',
                cell: (row) => (
                  <PageLink
                    to="/stations/$stationId"
                    params={{ stationId: row.stationId }}
                    className="row-link"
                  >
                    {names.get(row.stationId) ?? row.stationId}
                  </PageLink>
                ),
              },
              {
                header: 'Message, and why it was refused',
                wide: true,
                cell: (row) => (
                  <>
                    <b>{row.action}</b>: {row.reason} <AsItCame action={row.action} raw={row.raw} />
                  </>
                ),
              },
              act
                ? { header: 'What to do', align: 'right', wide: true, cell: (row) => <Act row={row} /> }
                : {
                    header: 'Ended',
                    fixed: true,
                    cell: (row) =>
                      row.endedAt ? <Ago at={row.endedAt} /> : <StatusBadge status="Pending" text="Open" />,
                  },
            ]}
          />
        </section>
      )}
    </>
  )
}

function Act({ row }: { row: Refused }) {
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const again = () => queries.invalidateQueries({ queryKey: ['quarantine'] })

  async function retry() {
    setBusy(true)
    try {
      await sendJson('POST', `/api/quarantine/${row.id}/retry`)
      tellDone(`The ${row.action} is stored now.`)
      await again()
    } catch (error) {
      tellProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Group gap={4} justify="flex-end">
      <Button variant="default" loading={busy} onClick={() => void retry()}>
        Try again
      </Button>
      <ConfirmAction
        variant="subtle"
        title={`Dismiss this ${row.action}?`}
        text={
          <>
            What it says is not stored; a start or stop in it does not count.
            <Text size="sm" c="dimmed" mt="xs">
              It stays readable among the dismissed ones.
            </Text>
          </>
        }
        confirm="Dismiss"
        act={() => send(`/api/quarantine/${row.id}`, { method: 'DELETE' })}
        onDone={() => {
          tellDone('Dismissed.')
          void again()
        }}
      >
        Dismiss
      </ConfirmAction>
    </Group>
  )
}
