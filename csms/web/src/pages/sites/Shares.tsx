import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api, ok } from '@/api/client'
import { useSession, useStations } from '@/live/hooks'
import type { LiveLoad, LiveSite, LiveStation } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { current, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageLink } from '@/parts/PageLink'
import { PowerBar } from '@/parts/PowerBar'
import { powerNow } from '@/parts/PowerNow'
import { ProblemNotice } from '@/parts/ProblemNotice'
import tables from '@/parts/tables.module.css'
import type { Site } from './form'
import { reasonOf } from './reasons'
import classes from './sites.module.css'

const SHOWN = 20

interface SharesProps {
  site: Site
  live: LiveSite | undefined
}

/** Each session's share of the site's power, and why it is what it is. */
export function Shares({ site, live }: SharesProps) {
  const stations = useStations()
  const [all, setAll] = useState(false)
  const names = useMemo(() => new Map(stations.map((station) => [station.id, station])), [stations])
  const circuits = useMemo(() => circuitNames(site), [site])
  const loads = useMemo(
    () =>
      [...(live?.sessions ?? [])].sort(
        (a, b) =>
          (names.get(a.chargerId)?.name ?? a.chargerId).localeCompare(
            names.get(b.chargerId)?.name ?? b.chargerId,
            'en',
            { numeric: true },
          ) || a.connectorId - b.connectorId,
      ),
    [live?.sessions, names],
  )
  if (loads.length === 0)
    return <p className={classes.none}>{live === undefined ? ' ' : 'No car is charging here now.'}</p>
  const shown = all ? loads : loads.slice(0, SHOWN)
  return (
    <>
      <table className={`${tables.table} ${classes.shares}`}>
        <thead>
          <tr>
            <th scope="col">Session</th>
            <th scope="col">Draws, of what it may</th>
            <th scope="col">Why not more</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((load) => (
            <Share
              key={load.id}
              siteId={site.id}
              load={load}
              name={names.get(load.chargerId)?.name ?? load.chargerId}
              station={names.get(load.chargerId)}
              circuits={circuits}
            />
          ))}
        </tbody>
      </table>
      {loads.length > shown.length && (
        <Button variant="default" mt="xs" onClick={() => setAll(true)}>
          Show {loads.length - shown.length} more
        </Button>
      )}
    </>
  )
}

/** Returns the names of a site's circuits by their ids. */
export function circuitNames(site: Pick<Site, 'circuits'>): ReadonlyMap<string, string> {
  return new Map(site.circuits.map(({ id, name }) => [id, name ?? id]))
}

interface ShareProps {
  siteId: string
  load: LiveLoad
  name: string
  /** Undefined: a charger that another system controls. */
  station: LiveStation | undefined
  circuits: ReadonlyMap<string, string>
}

function Share({ siteId, load, name, station, circuits }: ShareProps) {
  const live = useSession(load.id)
  const [open, setOpen] = useState(false)
  const reason = reasonOf(load.reason, circuits)
  const told = [
    station?.online === false && 'offline',
    load.allocatedPowerKw === 0 && `may draw ${power(0)}`,
    load.limitA !== null && `told ${current(load.limitA)}`,
  ]
  return (
    <>
      <tr>
        <th scope="row">
          <PageLink to="/sessions/$sessionId" params={{ sessionId: load.id }} className="row-link">
            {name}
          </PageLink>
          <span className="dimmed"> · {load.connectorId}</span>
        </th>
        <td>
          <PowerBar
            label={`Power of ${name}`}
            value={live && station ? powerNow(live, station) : load.measuredPowerKw}
            capacity={load.allocatedPowerKw}
          />
          <span className={classes.small}>
            {told.filter(Boolean).join(', ')}
            {load.phases !== null && ` on ${load.phases.map((phase) => `L${phase}`).join(', ')}`}
          </span>
        </td>
        <td>
          <button
            type="button"
            className={classes.why}
            data-tone={reason.tone}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <Icon name={open ? 'chevronDown' : 'chevronRight'} size={13} />
            {reason.short}
          </button>
        </td>
      </tr>
      {open && (
        <tr className={classes.explained} data-continued>
          <td colSpan={3}>
            {reason.explanation && <p>{reason.explanation}</p>}
            <Decisions siteId={siteId} sessionId={load.id} circuits={circuits} />
          </td>
        </tr>
      )}
    </>
  )
}

interface DecisionsProps {
  siteId: string
  sessionId: string
  circuits: ReadonlyMap<string, string>
}

function Decisions({ siteId, sessionId, circuits }: DecisionsProps) {
  const found = useQuery({
    queryKey: ['sites', siteId, 'decisions', sessionId],
    queryFn: () =>
      ok(
        api.GET('/api/sites/{siteId}/decisions', {
          params: { path: { siteId }, query: { sessionId, limit: 8, format: 'json' } },
        }),
      ),
    refetchInterval: 10_000,
  })
  if (found.error) return <ProblemNotice problem={found.error} />
  const items = found.data?.items ?? []
  if (items.length === 0) return <p>{found.isPending ? 'Loading …' : 'Nothing was decided for it yet.'}</p>
  return (
    <ul className={classes.decisions} aria-label="Decided for it, the newest first">
      {items.map((each) => (
        <li key={`${each.decidedAt} ${each.limitKw}`}>
          <span className="num">{power(each.limitKw)}</span>
          <span>{reasonOf(each.reason, circuits).short}</span>
          <span className="dimmed">
            <Ago at={each.decidedAt} />
          </span>
        </li>
      ))}
    </ul>
  )
}
