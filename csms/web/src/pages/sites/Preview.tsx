import { Alert, Loader } from '@mantine/core'
import { useMemo } from 'react'
import { asProblem } from '@/api/problem'
import { useSite, useStations } from '@/live/hooks'
import { current, NOTHING, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import tables from '@/parts/tables.module.css'
import { circuitChanges, difference, loadChanges, sendings } from './compare'
import { useWhatIf } from './data'
import { reasonOf } from './reasons'
import classes from './sites.module.css'

const SHOWN = 24

interface PreviewProps {
  siteId: string
  /** As what-if takes it; null: nothing is different. */
  supposed: object | null
  /** Names of the circuits as they would be. */
  circuits: ReadonlyMap<string, string>
  /** While nothing is different. */
  idle: string
}

/** What would be decided if the site were as it is typed: nothing is sent or stored. */
export function Preview({ siteId, supposed, circuits, idle }: PreviewProps) {
  const { found, error, waiting } = useWhatIf(siteId, supposed)
  const live = useSite(siteId)
  const stations = useStations()
  const names = useMemo(() => new Map(stations.map(({ id, name }) => [id, name])), [stations])
  if (supposed === null) return <p className={classes.none}>{idle}</p>
  if (error && !waiting) {
    const { message, fields } = asProblem(error)
    return (
      <Alert
        color="red"
        variant="light"
        icon={<Icon name="alert" />}
        title="This cannot be supposed"
        role="alert"
      >
        {message} {Object.values(fields).join(' ')}
      </Alert>
    )
  }
  if (found === undefined) return <Loader aria-label="Loading" />
  if (found.status === null)
    return (
      <Alert color="red" variant="light" icon={<Icon name="alert" />} title="The site would not be safe">
        {found.problems.map((text) => (
          <p key={text} className={classes.problem}>
            {text.charAt(0).toUpperCase() + text.slice(1)}.
          </p>
        ))}
      </Alert>
    )
  const loads = loadChanges(live, found.status)
  const more = (found.status.warnings ?? []).filter((text) => !live?.warnings?.includes(text))
  return (
    <div className={classes.preview} aria-busy={waiting} aria-live="polite">
      <p>{sendings(found.decreases, found.increases)}</p>
      {more.map((text) => (
        <p key={text} className={classes.held}>
          {text.charAt(0).toUpperCase() + text.slice(1)}.
        </p>
      ))}
      <table className={`${tables.table} ${classes.compare}`}>
        <thead>
          <tr>
            <th scope="col">Circuit</th>
            <th scope="col" data-align="right">
              Now
            </th>
            <th scope="col" data-align="right">
              Then
            </th>
            <th scope="col" data-align="right">
              Of
            </th>
          </tr>
        </thead>
        <tbody>
          {circuitChanges(live, found.status).map((each) => (
            <tr key={each.id}>
              <th scope="row">
                {each.id === 'grid' ? 'Grid connection' : (circuits.get(each.id) ?? each.id)}
                {each.mostA !== null && each.limitA !== null && (
                  <span className={classes.small}>
                    fullest phase {current(each.mostA)} of {current(each.limitA)}
                  </span>
                )}
              </th>
              <td data-align="right">{power(each.nowKw)}</td>
              <td data-align="right">{power(each.thenKw)}</td>
              <td data-align="right">{power(each.limitKw)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {loads.length === 0 ? (
        <p className={classes.none}>No car is charging here now. Suppose some to see what they would get.</p>
      ) : (
        <table className={`${tables.table} ${classes.compare}`}>
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col" data-align="right">
                Now
              </th>
              <th scope="col" data-align="right">
                Then
              </th>
              <th scope="col" data-align="right">
                Change
              </th>
            </tr>
          </thead>
          <tbody>
            {loads.slice(0, SHOWN).map((each) => (
              <tr key={each.id}>
                <th scope="row">
                  {names.get(each.chargerId) ?? each.chargerId}
                  <span className="dimmed"> · {each.connectorId}</span>
                  {each.nowKw === null && <span className={classes.supposed}> supposed</span>}
                  <span className={classes.small}>{reasonOf(each.reason, circuits).short}</span>
                </th>
                <td data-align="right">{power(each.nowKw)}</td>
                <td data-align="right">{power(each.thenKw)}</td>
                <td data-align="right">{difference(each.nowKw, each.thenKw) || NOTHING}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {loads.length > SHOWN && <p className={classes.none}>{loads.length - SHOWN} more that change less</p>}
    </div>
  )
}
