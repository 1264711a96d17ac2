import { power } from './format'

interface Drawing {
  powerKw: number | null
}

interface Reached {
  online: boolean
}

/** Returns what a session draws now, kW; of a station that is away nobody knows it: null. */
export function powerNow(session: Drawing, station: Reached | undefined): number | null {
  return station?.online ? session.powerKw : null
}

interface PowerNowProps {
  session: Drawing
  station: Reached | undefined
}

/** What a session draws now, or that its station is away. */
export function PowerNow({ session, station }: PowerNowProps) {
  if (station?.online !== false) return <>{power(powerNow(session, station))}</>
  const last = session.powerKw === null ? '' : ` It has told ${power(session.powerKw)} last.`
  return (
    <span className="dimmed" title={`The station is offline: nobody knows what it draws now.${last}`}>
      offline
    </span>
  )
}
