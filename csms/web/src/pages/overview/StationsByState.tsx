import { PageLink } from '@/parts/PageLink'
import { lookOf, StatusBadge } from '@/parts/StatusBadge'
import { ToneBar } from '@/parts/ToneBar'
import { STATES } from '../stations/rows'
import classes from './overview.module.css'

/** How many stations are in each state: a bar of parts, and a list that leads to them. */
export function StationsByState({ states }: { states: ReadonlyMap<string, number> }) {
  const present = STATES.filter((state) => states.has(state))
  return (
    <>
      <ToneBar
        parts={present.map((state) => ({
          key: state,
          tone: lookOf(state === 'unknown' ? null : state).tone,
          size: states.get(state) ?? 0,
        }))}
      />
      <ul className={classes.states}>
        {present.map((state) => (
          <li key={state}>
            <PageLink to="/stations" search={{ state }} className={classes.state}>
              <StatusBadge status={state === 'unknown' ? null : state} />
              <b className="num">{states.get(state)}</b>
            </PageLink>
          </li>
        ))}
      </ul>
    </>
  )
}
