import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import { useMe } from '@/api/me'
import { hasPage } from '@/app/pages'
import { useSiteFilter } from '@/app/site'
import { useAttention, useLoaded, useSessions, useSites, useStations, useToday } from '@/live/hooks'
import type { LiveAttention } from '@/live/types'
import { EmptyState } from '@/parts/EmptyState'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { powerNow } from '@/parts/PowerNow'
import { countStates, filterRows, rowOf } from '../stations/rows'
import { AttentionList } from './AttentionList'
import { DayTiles } from './DayTiles'
import classes from './overview.module.css'
import { SessionsNow } from './SessionsNow'
import { SitesTable } from './SitesTable'
import { StationsByState } from './StationsByState'
import { sitesNow, strongest, supply, urgent } from './summary'

/** What happens now, what needs somebody, and one click to act. */
export default function OverviewPage() {
  const stations = useStations()
  const sessions = useSessions()
  const sites = useSites()
  const today = useToday()
  const attention = useAttention()
  const loaded = useLoaded('stations')
  const attentionLoaded = useLoaded('attention')
  const sessionsLoaded = useLoaded('sessions') && loaded
  const sitesLoaded = useLoaded('sites')
  const [site] = useSiteFilter()

  const byId = useMemo(() => new Map(stations.map((station) => [station.id, station])), [stations])
  const rows = useMemo(
    () => filterRows(stations.map(rowOf), { text: '', state: null, site }),
    [stations, site],
  )
  const states = useMemo(() => countStates(rows), [rows])
  const running = useMemo(() => strongest(sessions, site, byId), [sessions, site, byId])
  const unmeasured = useMemo(
    () => running.filter((session) => powerNow(session, byId.get(session.stationId)) === null).length,
    [running, byId],
  )
  const items = useMemo(() => urgent(attention, site, (id) => byId.get(id)?.siteId), [attention, site, byId])
  const places = useMemo(() => {
    const all = sitesNow(sites, today, attention)
    return site === null ? all : all.filter((place) => place.site.id === site)
  }, [sites, today, attention, site])
  const day = today.find(({ id }) => id === (site ?? 'all'))
  const name = sites.find(({ id }) => id === site)?.name

  if (loaded && stations.length === 0) return <FirstSteps attention={items} />
  return (
    <>
      <PageHeader
        title="Overview"
        subtitle={name ?? (sites.length > 1 ? `All ${sites.length} sites` : undefined)}
      />
      <DayTiles
        day={day}
        running={sessionsLoaded ? running.length : null}
        unmeasured={unmeasured}
        supplyKw={sitesLoaded ? supply(places) : undefined}
      />
      <div className={classes.columns}>
        <div className={classes.column}>
          <Panel id="needs-you" title="Needs you" count={items.length} order={1}>
            <AttentionList items={items} loaded={attentionLoaded} />
          </Panel>
        </div>
        <div className={classes.column}>
          <Panel id="stations-now" title="Stations" count={rows.length} order={2}>
            <StationsByState states={states} />
          </Panel>
          {places.length > 0 && (
            <Panel id="sites-now" title="Power" order={3}>
              <SitesTable places={places} />
            </Panel>
          )}
          <Panel id="sessions-now" title="Charging now" count={running.length} order={4}>
            <SessionsNow sessions={running} stations={byId} loaded={sessionsLoaded} />
          </Panel>
        </div>
      </div>
    </>
  )
}

interface PanelProps {
  id: string
  title: string
  count?: number
  /** Its place where there is one column. */
  order: number
  children: ReactNode
}

function Panel({ id, title, count, order, children }: PanelProps) {
  return (
    <section className={`card ${classes.panel}`} aria-labelledby={id} style={{ order }}>
      <h2 id={id}>
        {title} <span className={classes.howMany}>{count ? count : ''}</span>
      </h2>
      {children}
    </section>
  )
}

function FirstSteps({ attention }: { attention: readonly LiveAttention[] }) {
  const { may } = useMe()
  return (
    <>
      <PageHeader title="Overview" />
      <EmptyState
        icon="plug"
        title="No station yet"
        action={
          may('operator') &&
          hasPage('/wizard') && (
            <Button component={Link} to="/wizard" leftSection={<Icon name="plus" size={14} />}>
              Connect your first charger
            </Button>
          )
        }
      >
        {may('operator')
          ? 'Connect a charger and this page shows what it does, what it takes and what it needs.'
          : 'An operator has to connect a charger; then this page shows what it does.'}
      </EmptyState>
      {attention.length > 0 && (
        <Panel id="needs-you" title="Needs you" count={attention.length} order={1}>
          <AttentionList items={attention} loaded />
        </Panel>
      )}
    </>
  )
}
