import { useElementSize } from '@mantine/hooks'
import { useState } from 'react'
import classes from './statistics.module.css'

export interface Bar {
  /** First day of its step. */
  id: string
  /** Under the bar. */
  label: string
  value: number
  /** Told of it, with its unit. */
  told: string
}

interface BarsProps {
  /** Read aloud: what is shown. */
  label: string
  bars: readonly Bar[]
  /** Returns a value of the axis with its unit. */
  tick: (value: number) => string
}

const HEIGHT = 220
const LEFT = 76
const BOTTOM = 22
const TOP = 8

/** One bar a step of time, from zero. */
export function Bars({ label, bars, tick }: BarsProps) {
  const { ref, width } = useElementSize()
  const [at, setAt] = useState<number | null>(null)
  const most = niceTop(Math.max(0, ...bars.map((bar) => bar.value)))
  const room = Math.max(1, width - LEFT)
  const step = room / Math.max(1, bars.length)
  const wide = Math.max(1, Math.min(48, step * 0.72))
  const tall = HEIGHT - BOTTOM - TOP
  const y = (value: number) => TOP + tall * (1 - value / most)
  const every = Math.max(1, Math.ceil(58 / step))
  const shown = at === null ? null : bars[at]
  return (
    <div ref={ref} className={classes.bars}>
      <svg
        role="img"
        aria-label={label}
        width={width}
        height={HEIGHT}
        onPointerMove={(event) => {
          const x = event.clientX - event.currentTarget.getBoundingClientRect().left - LEFT
          const index = Math.floor(x / step)
          setAt(index >= 0 && index < bars.length ? index : null)
        }}
        onPointerLeave={() => setAt(null)}
      >
        {[0, most / 2, most].map((value) => (
          <g key={value}>
            <line x1={LEFT} x2={width} y1={y(value)} y2={y(value)} className={classes.line} />
            <text x={LEFT - 8} y={y(value)} dy="0.32em" textAnchor="end" className={classes.tick}>
              {tick(value)}
            </text>
          </g>
        ))}
        {bars.map((bar, index) => {
          const middle = LEFT + step * (index + 0.5)
          const top = y(bar.value)
          return (
            <g key={bar.id}>
              <rect
                x={middle - wide / 2}
                y={top}
                width={wide}
                height={Math.max(0, y(0) - top)}
                rx={Math.min(3, wide / 4)}
                className={classes.bar}
                data-at={index === at || undefined}
              />
              {index % every === 0 && (
                <text
                  x={Math.min(middle, width - 24)}
                  y={HEIGHT - 6}
                  textAnchor="middle"
                  className={classes.tick}
                >
                  {bar.label}
                </text>
              )}
            </g>
          )
        })}
      </svg>
      <p className={classes.told}>{shown ? shown.told : ' '}</p>
    </div>
  )
}

/** Returns a round number at or above a value: the top of an axis. */
export function niceTop(value: number): number {
  if (value <= 0) return 1
  const size = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 5, 8, 10].find((factor) => factor * size >= value) ?? 10) * size
}
