import { memo, useMemo } from 'react'
import { power } from '@/parts/format'
import { PageLink } from '@/parts/PageLink'
import { lookOf } from '@/parts/StatusBadge'
import classes from './Board.module.css'
import type { StationRow } from './rows'

const MOST = 1500

interface BoardProps {
  rows: readonly StationRow[]
  sites: ReadonlyMap<string, string>
}

/** All stations as tiles in the colour of their state, site by site: for a wall, or a quick look. */
export function Board({ rows, sites }: BoardProps) {
  const bySite = useMemo(() => {
    const found = new Map<string, StationRow[]>()
    const order = new Intl.Collator('en', { numeric: true })
    const shown = [...rows].sort((a, b) => order.compare(a.station.name, b.station.name)).slice(0, MOST)
    for (const row of shown) {
      const name = row.station.siteId === null ? '' : (sites.get(row.station.siteId) ?? row.station.siteId)
      found.set(name, [...(found.get(name) ?? []), row])
    }
    return [...found].sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : order.compare(a, b)))
  }, [rows, sites])

  return (
    <>
      {rows.length > MOST && (
        <p className="dimmed">
          The first {MOST} of {rows.length} are shown; choose a site or filter.
        </p>
      )}
      {bySite.map(([name, members]) => (
        <section key={name} aria-label={name || 'Without a site'} className={classes.site}>
          <h2>
            {name || 'Without a site'} <span className="dimmed">{members.length}</span>
          </h2>
          <ul className={classes.tiles}>
            {members.map((row) => (
              <Tile key={row.station.id} row={row} />
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

const Tile = memo(function Tile({ row }: { row: StationRow }) {
  const { station, state, powerKw } = row
  const look = lookOf(state === 'unknown' ? null : state)
  return (
    <li className={classes.tile} data-tone={look.tone}>
      <PageLink to="/stations/$stationId" params={{ stationId: station.id }} className={classes.link}>
        <b className={classes.name}>{station.name}</b>
        <span className={classes.state}>{look.text}</span>
        <span className={`${classes.power} num`}>{powerKw === null ? '' : power(powerKw)}</span>
      </PageLink>
    </li>
  )
})
