import { useQuery } from '@tanstack/react-query'
import { api, ok } from '@/api/client'
import { asProblem } from '@/api/problem'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { duration, exactTime, NOTHING, percent } from '@/parts/format'
import { Listing, useListing } from '@/parts/Listing'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { lookOf, StatusBadge } from '@/parts/StatusBadge'
import { ToneBar } from '@/parts/ToneBar'
import tables from '@/parts/tables.module.css'
import { pathOf, type Station } from './data'
import classes from './station.module.css'

type Attempt = components['schemas']['AttemptOut']
type Change = components['schemas']['ConnectorChangeOut']

/** How it came and went: connections, and the states of its connectors. */
export function DiaryTab({ station }: { station: Station }) {
  return (
    <>
      <Diary stationId={station.id} />
      <Availability station={station} />
      <History station={station} />
    </>
  )
}

const OUTCOMES: Readonly<Record<string, { text: string; tone: 'good' | 'warning' | 'bad'; status: string }>> =
  {
    connected: { text: 'Connected', tone: 'good', status: 'online' },
    tookOver: { text: 'Took over', tone: 'warning', status: 'Pending' },
    refused: { text: 'Refused', tone: 'bad', status: 'Rejected' },
  }

/** Each attempt to connect, why it was refused, and what would let it in. */
export function Diary({ stationId }: { stationId: string }) {
  const list = useListing<Attempt>(pathOf(stationId, '/connections'), 10)
  if (list.error && asProblem(list.error).status === 404)
    return <Section title="Connections" about="Nobody has tried to connect under this name." />
  return (
    <Section title="Connections" about="Every attempt to connect under this name.">
      <Listing
        label="Connections"
        list={list}
        rowKey={(row, index) => `${row.at} ${index}`}
        empty="Nobody has tried to connect under this name."
        columns={[
          { header: 'When', fixed: true, cell: (row) => <Ago at={row.at} /> },
          {
            header: 'Outcome',
            fixed: true,
            cell: (row) => {
              const look = OUTCOMES[row.outcome]
              return (
                <StatusBadge
                  status={look?.status ?? row.outcome}
                  tone={look?.tone ?? 'idle'}
                  text={look?.text ?? row.outcome}
                  title={`HTTP ${row.status}`}
                />
              )
            },
          },
          {
            header: 'Why, and what to do',
            cell: (row) => (
              <>
                {row.reason ?? (row.outcome === 'tookOver' ? 'From a connection that was still there.' : '')}
                {row.fix && (
                  <div>
                    <b>To do:</b> {row.fix}
                  </div>
                )}
              </>
            ),
          },
          { header: 'From', extra: true, cell: (row) => <span className={classes.mono}>{row.address}</span> },
        ]}
      />
    </Section>
  )
}

/** How much of the last 30 days each connector was there for drivers. */
function Availability({ station }: { station: Station }) {
  const found = useQuery({
    queryKey: ['stations', station.id, 'availability'],
    queryFn: () =>
      ok(api.GET('/api/stations/{stationId}/availability', { params: { path: { stationId: station.id } } })),
    refetchInterval: 60_000,
  })
  if (found.error) return <ProblemNotice problem={found.error} />
  const connectors = found.data?.connectors.filter(({ connectorId }) => connectorId > 0) ?? []
  if (connectors.length === 0) return null
  return (
    <Section title="The last 30 days" about="By what the station has told of its connectors.">
      <Scroller label="The last 30 days">
        <table className={tables.table}>
          <thead>
            <tr>
              <th scope="col">Connector</th>
              <th scope="col" style={{ width: '50%' }}>
                States
              </th>
              <th scope="col" data-align="right">
                In service
              </th>
              <th scope="col" data-align="right">
                Changes
              </th>
            </tr>
          </thead>
          <tbody>
            {connectors.map(({ connectorId, secondsByStatus, upPercent, changes }) => {
              const known = Object.entries(secondsByStatus)
                .filter(([status, seconds]) => status !== 'Unknown' && seconds > 0)
                .sort(([, a], [, b]) => b - a)
              return (
                <tr key={connectorId}>
                  <td>{connectorId}</td>
                  <td>
                    <ToneBar
                      parts={known.map(([status, seconds]) => ({
                        key: status,
                        tone: lookOf(status).tone,
                        size: seconds,
                      }))}
                    />
                    <span className="dimmed">
                      {known
                        .map(([status, seconds]) => `${lookOf(status).text} ${duration(seconds)}`)
                        .join(', ') || NOTHING}
                    </span>
                  </td>
                  <td data-align="right">{percent(upPercent)}</td>
                  <td data-align="right">{changes}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Scroller>
    </Section>
  )
}

function History({ station }: { station: Station }) {
  const list = useListing<Change>(pathOf(station.id, '/history'), 10)
  return (
    <Section title="Connector history">
      <Listing
        label="Connector history"
        list={list}
        rowKey={(row, index) => `${row.receivedAt} ${row.connectorId} ${index}`}
        empty="The station has told nothing of its connectors yet."
        columns={[
          { header: 'When', fixed: true, cell: (row) => <Ago at={row.receivedAt} /> },
          { header: 'Connector', cell: (row) => (row.connectorId === 0 ? 'station' : row.connectorId) },
          { header: 'State', fixed: true, cell: (row) => <StatusBadge status={row.status} /> },
          {
            header: 'Told along',
            cell: (row) =>
              [row.errorCode === 'NoError' ? null : row.errorCode, row.info, row.vendorErrorCode]
                .filter(Boolean)
                .join(' · '),
          },
          {
            header: "By the station's clock",
            extra: true,
            cell: (row) => (
              <span className="num">
                {exactTime(row.reportedAt)}
                {row.late && <span className="dimmed"> late, out of a queue</span>}
              </span>
            ),
          },
        ]}
      />
    </Section>
  )
}
