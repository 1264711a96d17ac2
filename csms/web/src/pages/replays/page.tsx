import { Loader } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Ago } from '@/parts/Ago'
import { EmptyState } from '@/parts/EmptyState'
import { count } from '@/parts/format'
import { Listing, useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Section } from '@/parts/Section'
import { useAbout } from '../simulator/about'
import { ReplayForm } from './ReplayForm'
import { ReplayState, ReplayView } from './ReplayView'
import { REPLAYS, type Replay, useReplay } from './replays'

/** A station's messages, played back against this system by a simulated charge point. */
export default function ReplayPage() {
  const about = useAbout()
  const search = useSearch({ strict: false }) as {
    stationId?: string
    from?: string
    to?: string
    replay?: string
  }
  const navigate = useNavigate()
  const shown = useReplay(search.replay)
  const show = (id: string) =>
    void navigate({ to: '.', search: ((before: object) => ({ ...before, replay: id })) as never })
  return (
    <>
      <PageHeader
        title="Play messages again"
        subtitle={
          <PageLink to="/messages" search={{ stationId: search.stationId, view: 'log' }}>
            Messages
          </PageLink>
        }
      />
      {about.error && <ProblemNotice problem={about.error} retry={() => void about.refetch()} />}
      {about.data === undefined && !about.error && <Loader aria-label="Loading" />}
      {about.data && !about.data.reachable && (
        <EmptyState
          icon={about.data.configured ? 'wifiOff' : 'plug'}
          title={about.data.configured ? 'The simulator does not answer' : 'No simulator is connected'}
        >
          {about.data.detail ??
            'The simulator plays them: start one and name it in CSMS_SIMULATOR_URL, or play an export by python -m simulator replay.'}
        </EmptyState>
      )}
      {about.data?.reachable && (
        <>
          <ReplayForm
            key={`${search.stationId} ${search.from} ${search.to}`}
            stationId={search.stationId ?? null}
            from={search.from}
            to={search.to}
            begun={(replay) => show(replay.id)}
          />
          {shown.error && <ProblemNotice problem={shown.error} />}
          {shown.data && <ReplayView replay={shown.data} again={() => void shown.refetch()} />}
          <Earlier show={show} />
        </>
      )}
    </>
  )
}

function Earlier({ show }: { show: (id: string) => void }) {
  const list = useListing<Replay>(REPLAYS, 3)
  if (list.items?.length === 0) return null
  return (
    <Section title="Played lately" about="The simulator remembers the last twenty, until it ends.">
      <Listing
        label="Played lately"
        list={list}
        rowKey={(row) => row.id}
        empty=""
        columns={[
          {
            header: 'Messages of',
            cell: (row) => (
              <button type="button" className="row-link" onClick={() => show(row.id)}>
                {row.recordedStationId}
              </button>
            ),
          },
          { header: 'State', fixed: true, cell: (row) => <ReplayState replay={row} /> },
          { header: 'Sent', align: 'right', cell: (row) => `${count(row.sent)} of ${count(row.total)}` },
          { header: 'Differences', align: 'right', cell: (row) => count(row.differenceCount) },
          { header: 'Begun', align: 'right', cell: (row) => <Ago at={row.beganAt} /> },
        ]}
      />
    </Section>
  )
}
