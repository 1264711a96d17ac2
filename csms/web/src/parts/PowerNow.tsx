import type { LiveStation } from '@/live/types'
import { power } from './format'

interface Drawing {
  id: string
  powerKw: number | null
}

type Reached = Pick<LiveStation, 'online' | 'connectors'>

/**
 * Returns what a session draws now, kW; null: nobody knows it.
 *
 * Of a station that is away only the last word is known, and so it is once the connector is free
 * again or has another session.
 */
export function powerNow(session: Drawing, station: Reached | undefined): number | null {
  if (!station?.online) return null
  return station.connectors.find(({ sessionId }) => sessionId === session.id)?.powerKw ?? null
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
