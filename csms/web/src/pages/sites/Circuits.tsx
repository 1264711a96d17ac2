import { useMemo } from 'react'
import type { LiveCircuit, LiveSite, LiveStation } from '@/live/types'
import { current, power } from '@/parts/format'
import { PageLink } from '@/parts/PageLink'
import { PowerBar } from '@/parts/PowerBar'
import { powerOf, useStationsOf } from './data'
import type { Site } from './form'
import classes from './sites.module.css'
import { type Branch, treeOf } from './tree'

const SHOWN = 16

interface CircuitsProps {
  site: Pick<Site, 'id' | 'gridCapacityKw' | 'gridLimitA' | 'circuits' | 'chargers'>
  live: { circuits?: readonly LiveCircuit[] } | LiveSite | undefined
}

/** The grid connection and the circuits behind it, with load and headroom on each phase. */
export function Circuits({ site, live }: CircuitsProps) {
  const stations = useStationsOf(site.id)
  const byId = useMemo(() => new Map(stations.map((station) => [station.id, station])), [stations])
  const tree = useMemo(() => treeOf(site, site.chargers, live?.circuits), [site, live?.circuits])
  return (
    <ul className={classes.tree}>
      <Node branch={tree} stations={byId} />
    </ul>
  )
}

function Node({ branch, stations }: { branch: Branch; stations: ReadonlyMap<string, LiveStation> }) {
  return (
    <li>
      <div className={classes.node}>
        <span className={classes.nodeName}>
          {branch.name}
          {branch.limitKw < branch.ownLimitKw && (
            <span className={classes.held}> held at {power(branch.limitKw)}</span>
          )}
        </span>
        <PowerBar label={`Load of ${branch.name}`} value={branch.loadKw} capacity={branch.limitKw} />
        <Headroom kw={branch.headroomKw} />
      </div>
      {branch.limitA !== null && branch.loadA !== null && (
        <Phases name={branch.name} limitA={branch.limitA} loadA={branch.loadA} />
      )}
      {branch.chargers.length > 0 && <Chargers ids={branch.chargers} stations={stations} />}
      {branch.branches.length > 0 && (
        <ul className={classes.tree}>
          {branch.branches.map((each) => (
            <Node key={each.id} branch={each} stations={stations} />
          ))}
        </ul>
      )}
    </li>
  )
}

function Headroom({ kw }: { kw: number | null }) {
  if (kw === null) return <span className={classes.headroom}>not decided yet</span>
  return (
    <span className={classes.headroom} data-over={kw < -0.001 || undefined}>
      {kw < -0.001 ? `${power(-kw)} too much` : `${power(Math.max(0, kw))} left`}
    </span>
  )
}

interface PhasesProps {
  name: string
  limitA: number
  loadA: readonly number[]
}

function Phases({ name, limitA, loadA }: PhasesProps) {
  return (
    <ul className={classes.phases} aria-label={`Phases of ${name}`}>
      {loadA.map((a, at) => {
        const phase = `L${at + 1}`
        const over = a > limitA + 0.05
        return (
          <li key={phase}>
            <b>{phase}</b>
            <span className={classes.phaseTrack} aria-hidden="true">
              <span
                data-over={over || undefined}
                style={{ width: `${limitA === 0 ? 0 : Math.min(100, (a / limitA) * 100)}%` }}
              />
            </span>
            <span className="num">
              {current(a)} of {current(limitA)}
            </span>
            <span className={classes.headroom} data-over={over || undefined}>
              {over ? `${current(a - limitA)} too much` : `${current(limitA - a)} left`}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

interface ChargersProps {
  ids: readonly string[]
  stations: ReadonlyMap<string, LiveStation>
}

function Chargers({ ids, stations }: ChargersProps) {
  const chips = (some: readonly string[]) => (
    <ul className={classes.chips}>
      {some.map((id) => (
        <Chip key={id} id={id} station={stations.get(id)} />
      ))}
    </ul>
  )
  return (
    <>
      {chips(ids.slice(0, SHOWN))}
      {ids.length > SHOWN && (
        <details className={classes.chips}>
          <summary>{ids.length - SHOWN} more chargers</summary>
          {chips(ids.slice(SHOWN))}
        </details>
      )}
    </>
  )
}

function Chip({ id, station }: { id: string; station: LiveStation | undefined }) {
  if (station === undefined)
    return (
      <li className={classes.chip}>
        {id} <span className="dimmed">another system</span>
      </li>
    )
  const kw = powerOf(station)
  return (
    <li className={classes.chip} data-draws={kw > 0 || undefined}>
      <PageLink to="/stations/$stationId" params={{ stationId: id }}>
        {station.name}
      </PageLink>{' '}
      <span className="num">{station.online ? power(kw) : 'offline'}</span>
    </li>
  )
}
