import { useNow } from './clock'
import { ago, exactTime } from './format'

interface AgoProps {
  /** ISO 8601, or milliseconds. */
  at: string | number | null | undefined
  /** IANA zone of the exact time on hover; the browser's without it. */
  timeZone?: string
}

/** How long ago something was, kept up to date; the exact time shows on hover. */
export function Ago({ at, timeZone }: AgoProps) {
  const now = useNow()
  return (
    <time
      className="num"
      dateTime={typeof at === 'number' ? new Date(at).toISOString() : (at ?? undefined)}
      title={exactTime(at, timeZone)}
    >
      {ago(at, now)}
    </time>
  )
}
