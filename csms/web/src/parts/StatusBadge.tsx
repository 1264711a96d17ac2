import classes from './StatusBadge.module.css'

export type Tone = 'good' | 'busy' | 'warning' | 'bad' | 'idle' | 'plan'

interface Look {
  tone: Tone
  text: string
  /** A shape too: colour alone says nothing to everybody. */
  shape: 'dot' | 'ring' | 'half' | 'cross' | 'square'
}

/** Statuses of OCPP connectors, and those that we say of stations, sessions and reservations. */
const LOOKS: Readonly<Record<string, Look>> = {
  Available: { tone: 'good', text: 'Available', shape: 'dot' },
  Preparing: { tone: 'plan', text: 'Preparing', shape: 'half' },
  Charging: { tone: 'busy', text: 'Charging', shape: 'dot' },
  SuspendedEV: { tone: 'warning', text: 'Paused by car', shape: 'half' },
  SuspendedEVSE: { tone: 'warning', text: 'Paused by station', shape: 'half' },
  Finishing: { tone: 'plan', text: 'Finishing', shape: 'half' },
  Reserved: { tone: 'plan', text: 'Reserved', shape: 'square' },
  Unavailable: { tone: 'idle', text: 'Out of service', shape: 'ring' },
  Faulted: { tone: 'bad', text: 'Faulted', shape: 'cross' },
  online: { tone: 'good', text: 'Online', shape: 'dot' },
  offline: { tone: 'idle', text: 'Offline', shape: 'ring' },
  active: { tone: 'busy', text: 'Active', shape: 'dot' },
  completed: { tone: 'idle', text: 'Completed', shape: 'ring' },
  Accepted: { tone: 'good', text: 'Accepted', shape: 'dot' },
  Blocked: { tone: 'bad', text: 'Blocked', shape: 'cross' },
  Pending: { tone: 'warning', text: 'Pending', shape: 'half' },
  Rejected: { tone: 'bad', text: 'Rejected', shape: 'cross' },
  used: { tone: 'idle', text: 'Used', shape: 'ring' },
  expired: { tone: 'idle', text: 'Expired', shape: 'ring' },
  cancelled: { tone: 'idle', text: 'Cancelled', shape: 'ring' },
  dropped: { tone: 'warning', text: 'Dropped', shape: 'half' },
  refused: { tone: 'bad', text: 'Refused', shape: 'cross' },
}

/** Returns how a status looks; an unknown one is shown in its own words, a missing one as unknown. */
export function lookOf(status: string | null | undefined): Look {
  if (!status) return { tone: 'idle', text: 'Unknown', shape: 'ring' }
  return LOOKS[status] ?? { tone: 'idle', text: status, shape: 'ring' }
}

/** Of a status that only its tone is known of. */
const SHAPES: Readonly<Record<Tone, Look['shape']>> = {
  good: 'dot',
  busy: 'half',
  warning: 'half',
  bad: 'cross',
  idle: 'ring',
  plan: 'square',
}

interface StatusBadgeProps {
  status: string | null | undefined
  /** Instead of the usual text. */
  text?: string
  tone?: Tone
  title?: string
}

/** A status as coloured shape and text. */
export function StatusBadge({ status, text, tone, title }: StatusBadgeProps) {
  const look = lookOf(status)
  const shape = tone !== undefined && !(status && status in LOOKS) ? SHAPES[tone] : look.shape
  return (
    <span className={classes.badge} data-tone={tone ?? look.tone} title={title}>
      <span className={classes.shape} data-shape={shape} aria-hidden="true" />
      {text ?? look.text}
    </span>
  )
}
