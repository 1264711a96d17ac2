import { useMemo } from 'react'
import type { LiveSession, LiveStation } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { energy, NOTHING, percent, power } from '@/parts/format'
import { PageLink } from '@/parts/PageLink'
import { PowerNow } from '@/parts/PowerNow'
import tables from '@/parts/tables.module.css'
import classes from './overview.module.css'

const SHOWN = 8

interface SessionsNowProps {
  sessions: readonly LiveSession[]
  stations: ReadonlyMap<string, LiveStation>
  loaded: boolean
}

/** The strongest of the running sessions. */
export function SessionsNow({ sessions, stations, loaded }: SessionsNowProps) {
  const shown = useMemo(() => sessions.slice(0, SHOWN), [sessions])
  if (sessions.length === 0) return <p className={classes.none}>{loaded ? 'No car is charging.' : ' '}</p>
  return (
    <>
      <table className={tables.table}>
        <thead>
          <tr>
            <th scope="col">Session</th>
            <th scope="col" data-align="right">
              Power
            </th>
            <th scope="col" data-align="right" className={tables.extra}>
              Limit
            </th>
            <th scope="col" data-align="right">
              Energy
            </th>
            <th scope="col" data-align="right" className={tables.extra}>
              Charge
            </th>
            <th scope="col" data-align="right" className={tables.extra}>
              Started
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((session) => (
            <tr key={session.id}>
              <th scope="row">
                <PageLink to="/sessions/$sessionId" params={{ sessionId: session.id }} className="row-link">
                  {stations.get(session.stationId)?.name ?? session.stationId}
                </PageLink>
                <span className="dimmed"> · {session.connectorId}</span>
              </th>
              <td data-align="right">
                <PowerNow session={session} station={stations.get(session.stationId)} />
              </td>
              <td data-align="right" className={tables.extra}>
                {session.limitKw === null ? NOTHING : power(session.limitKw)}
              </td>
              <td data-align="right">{energy(session.energyKwh)}</td>
              <td data-align="right" className={tables.extra}>
                {percent(session.socPercent)}
              </td>
              <td data-align="right" className={tables.extra}>
                <Ago at={session.startedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {sessions.length > SHOWN && (
        <p className={classes.none}>
          <PageLink to="/sessions" search={{ status: 'active' }}>
            {sessions.length - SHOWN} more
          </PageLink>
        </p>
      )}
    </>
  )
}
