import type { KeyboardEvent } from 'react'
import { lookOf } from '@/parts/StatusBadge'
import { STATES, type StationRow } from './rows'
import classes from './StationMap.module.css'

const MARK_PX = 9

interface MapMarkProps {
  x: number
  y: number
  members: readonly StationRow[]
  /** How large it is drawn: larger on a wall. */
  scale: number
  /** Under the mark; nothing where there is no room. */
  label: string | undefined
  open: () => void
}

/** One station, or several close together: shape and colour of the state, a ring of the shares of states. */
export function MapMark({ x, y, members, scale, label, open }: MapMarkProps) {
  const [only] = members
  const one = members.length === 1
  const radius = one ? MARK_PX : Math.min(24, 13 + Math.log2(members.length) * 1.7)
  const parts = shares(members)
  const words = one
    ? `${only?.station.name}: ${lookOf(stateKey(only?.state)).text}`
    : `${members.length} stations${label ? ` at ${label}` : ''}: ${parts.map(({ text, number }) => `${number} ${text}`).join(', ')}`
  return (
    <g transform={`translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale})`}>
      <g
        role="button"
        tabIndex={0}
        aria-label={words}
        className={classes.mark}
        onClick={open}
        onKeyDown={(event: KeyboardEvent) => {
          if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault()
            open()
          }
        }}
      >
        <title>{words}</title>
        <circle r={radius + 5} className={classes.halo} />
        {one ? <Shape state={only?.state} /> : <Ring radius={radius} parts={parts} />}
      </g>
      <g className={classes.texts} aria-hidden="true">
        {!one && (
          <text dy="0.35em" textAnchor="middle" className={classes.number}>
            {members.length}
          </text>
        )}
        {label !== undefined && (
          <text y={radius + 14} textAnchor="middle" className={classes.name}>
            {label}
          </text>
        )}
      </g>
    </g>
  )
}

/** The mark of a state, as its badge has it: known without its colour too. */
export function Shape({ state }: { state: string | undefined }) {
  const { tone, shape } = lookOf(stateKey(state))
  const r = MARK_PX
  return (
    <g className={classes.shape} data-tone={tone}>
      <circle r={r + 2} className={classes.edge} />
      {shape === 'dot' && <circle r={r} className={classes.fill} />}
      {shape === 'ring' && <circle r={r - 1.5} className={classes.line} />}
      {shape === 'square' && (
        <rect x={-r + 1} y={-r + 1} width={2 * r - 2} height={2 * r - 2} rx={2} className={classes.fill} />
      )}
      {shape === 'half' && (
        <>
          <circle r={r - 1.5} className={classes.line} />
          <path d={`M0 ${-r + 1}A${r - 1} ${r - 1} 0 0 0 0 ${r - 1}Z`} className={classes.fill} />
        </>
      )}
      {shape === 'cross' && (
        <>
          <circle r={r} className={classes.fill} />
          <path d="M-4 -4 4 4M4 -4 -4 4" className={classes.cross} />
        </>
      )}
    </g>
  )
}

interface Share {
  state: string
  tone: string
  text: string
  number: number
}

function shares(members: readonly StationRow[]): Share[] {
  const numbers = new Map<string, number>()
  for (const { state } of members) numbers.set(state, (numbers.get(state) ?? 0) + 1)
  return STATES.filter((state) => numbers.has(state)).map((state) => {
    const { tone, text } = lookOf(stateKey(state))
    return { state, tone, text: text.toLowerCase(), number: numbers.get(state) ?? 0 }
  })
}

/** How many are in which state, as parts of a ring, the worst at the top. */
function Ring({ radius, parts }: { radius: number; parts: readonly Share[] }) {
  const around = 2 * Math.PI * (radius - 2.5)
  const all = parts.reduce((sum, { number }) => sum + number, 0)
  let before = 0
  return (
    <>
      <circle r={radius} className={classes.disc} />
      {parts.map(({ state, tone, number }) => {
        const length = (number / all) * around
        const start = before
        before += length
        return (
          <circle
            key={state}
            r={radius - 2.5}
            className={classes.arc}
            data-tone={tone}
            strokeDasharray={`${Math.max(length - 1, 1)} ${around}`}
            strokeDashoffset={-start}
            transform="rotate(-90)"
          />
        )
      })}
      {parts.some(({ state }) => state === 'Faulted') && (
        <g transform={`translate(${radius * 0.72} ${-radius * 0.72}) scale(0.72)`}>
          <Shape state="Faulted" />
        </g>
      )}
    </>
  )
}

function stateKey(state: string | undefined): string | null {
  return state === undefined || state === 'unknown' ? null : state
}
