import { lookOf, StatusBadge } from '@/parts/StatusBadge'
import { type Reservation, STATES } from './booking'

/** The state of a reservation, with what it means. */
export function State({ reservation }: { reservation: Reservation }) {
  const { status, confirmed } = reservation
  if (status === 'pending')
    return <StatusBadge status="Pending" text="Asking …" title="The station has not answered yet." />
  if (status === 'active' && !confirmed)
    return <StatusBadge status="Pending" text="Not confirmed" title="The station's answer was lost." />
  const title = STATES[status]
  return (
    <StatusBadge
      status={status === 'active' ? 'Reserved' : status}
      text={lookOf(status).text}
      {...(title === undefined ? {} : { title })}
    />
  )
}
