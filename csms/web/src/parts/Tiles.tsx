import { Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './Tiles.module.css'

/** A few numbers that are seen at once; its children are `Tile`s. */
export function Tiles({ children }: { children: ReactNode }) {
  return <dl className={classes.tiles}>{children}</dl>
}

interface TileProps {
  name: string
  /** null: not known yet. */
  value: ReactNode
  unit?: string
  /** What else there is to say of it, small below. */
  children?: ReactNode
}

/** One number with its name. */
export function Tile({ name, value, unit, children }: TileProps) {
  return (
    <div className={`card ${classes.tile}`}>
      <dt>{name}</dt>
      <dd className={classes.value}>
        {value === null ? <Skeleton height={28} width={90} /> : value}
        {value !== null && unit && <span className={classes.unit}> {unit}</span>}
      </dd>
      {children && <dd className={classes.more}>{children}</dd>}
    </div>
  )
}
