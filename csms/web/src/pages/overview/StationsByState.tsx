import { PageLink } from '@/parts/PageLink'
import { lookOf, StatusBadge } from '@/parts/StatusBadge'
import { STATES } from '../stations/rows'
import classes from './overview.module.css'

/** How many stations are in each state: a bar of parts, and a list that leads to them. */
export function StationsByState({ states, total }: { states: ReadonlyMap<string, number>; total: number }) {
  const present = STATES.filter((state) => states.has(state))
  return (
    <>
      <div className={classes.bar} aria-hidden="true">
        {present.map((state) => (
          <span
            key={state}
            data-tone={lookOf(state === 'unknown' ? null : state).tone}
            data-state={state}
            style={{ flexGrow: states.get(state) ?? 0 }}
          />
        ))}
        {total === 0 && <span style={{ flexGrow: 1 }} />}
      </div>
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
