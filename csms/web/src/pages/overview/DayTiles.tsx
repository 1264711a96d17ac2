import type { ReactNode } from 'react'
import type { LiveToday } from '@/live/types'
import { count, energy, money, power } from '@/parts/format'
import { PowerBar } from '@/parts/PowerBar'
import { Tile, Tiles } from '@/parts/Tiles'
import { drawnNow } from './summary'

interface DayTilesProps {
  /** Undefined: not known yet. */
  day: LiveToday | undefined
  /** Sessions that run; null: not known yet. */
  running: number | null
  /** Those among them whose power nobody knows now. */
  unmeasured: number
  /** What chargers may take now, kW; null without a site, undefined: not known yet. */
  supplyKw: number | null | undefined
}

/** The day in four numbers. */
export function DayTiles({ day, running, unmeasured, supplyKw }: DayTilesProps) {
  const drawn = day && drawnNow(day, unmeasured)
  return (
    <Tiles>
      <Tile
        name="Charging now"
        value={running === null ? null : count(running)}
        unit={running === 1 ? 'session' : 'sessions'}
      >
        {day && `${count(day.sessions)} today, finished ones too`}
      </Tile>
      <Tile name="Power now" value={drawn === undefined ? null : power(drawn)}>
        {day && supplyKw ? (
          <>
            <PowerBar label="Power now" value={drawn ?? null} capacity={supplyKw} numbers={false} />
            of {power(supplyKw)}
          </>
        ) : (
          supplyKw === null && 'No site, no limit'
        )}
        {day && unmeasured > 0 && <div>{count(unmeasured)} not measured now</div>}
      </Tile>
      <Tile name="Energy today" value={day === undefined ? null : energy(day.energyKwh)}>
        {day && day.sessions + day.activeSessions > 0 && 'in finished and running sessions'}
      </Tile>
      <Tile name="Revenue today" value={day === undefined ? null : revenue(day)}>
        {day && 'of finished and running sessions'}
      </Tile>
    </Tiles>
  )
}

function revenue(day: LiveToday): ReactNode {
  if (day.revenues.length > 1)
    return day.revenues.map(({ currency, amount }) => <div key={currency}>{money(amount, currency)}</div>)
  return money(day.revenue, day.currency)
}
