import { Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import type { LiveToday } from '@/live/types'
import { count, energy, money, NOTHING, power } from '@/parts/format'
import { PowerBar } from '@/parts/PowerBar'
import classes from './overview.module.css'

interface TilesProps {
  day: LiveToday | undefined
  running: number
  loaded: boolean
  /** What chargers may take now, kW; null without a site. */
  supplyKw: number | null
}

/** The day in four numbers. */
export function Tiles({ day, running, loaded, supplyKw }: TilesProps) {
  return (
    <dl className={classes.tiles}>
      <Tile
        name="Charging now"
        value={loaded ? count(running) : null}
        unit={running === 1 ? 'session' : 'sessions'}
      >
        {day && `${count(day.sessions)} today, finished ones too`}
      </Tile>
      <Tile name="Power now" value={day ? power(day.powerKw) : loaded ? NOTHING : null}>
        {day && supplyKw ? (
          <>
            <PowerBar label="Power now" value={day.powerKw} capacity={supplyKw} numbers={false} />
            of {power(supplyKw)}
          </>
        ) : (
          loaded && 'No site, no limit'
        )}
      </Tile>
      <Tile name="Energy today" value={day ? energy(day.energyKwh) : loaded ? energy(0) : null}>
        {day && day.sessions + day.activeSessions > 0 && 'in finished and running sessions'}
      </Tile>
      <Tile name="Revenue today" value={day ? revenue(day) : loaded ? NOTHING : null}>
        {day && 'of finished and running sessions'}
      </Tile>
    </dl>
  )
}

function revenue(day: LiveToday): ReactNode {
  if (day.revenues.length > 1)
    return day.revenues.map(({ currency, amount }) => <div key={currency}>{money(amount, currency)}</div>)
  return money(day.revenue, day.currency)
}

interface TileProps {
  name: string
  /** null: not known yet. */
  value: ReactNode
  unit?: string
  children?: ReactNode
}

function Tile({ name, value, unit, children }: TileProps) {
  return (
    <div className={`card ${classes.tile}`}>
      <dt>{name}</dt>
      <dd className={classes.value}>
        {value === null ? <Skeleton height={28} width={90} /> : value}
        {value !== null && unit && <span className={classes.unit}> {unit}</span>}
      </dd>
      <dd className={classes.more}>{children}</dd>
    </div>
  )
}
