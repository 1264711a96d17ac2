import { power } from './format'
import classes from './PowerBar.module.css'

interface PowerBarProps {
  /** Power now, kW; null: not known. */
  value: number | null | undefined
  /** What it may be at most, kW; null or 0: not known, and no bar. */
  capacity: number | null | undefined
  /** Read aloud: whose power it is. */
  label: string
  /** Writes the numbers beside the bar. Default: true. */
  numbers?: boolean
}

/** Power now against a capacity, as bar and numbers; full is what sharing aims at, more is a warning. */
export function PowerBar({ value, capacity, label, numbers = true }: PowerBarProps) {
  const full = capacity ? (value ?? 0) / capacity : 0
  const level = full > 1.05 ? 'over' : full > 1.01 ? 'high' : 'usual'
  const text = `${power(value)}${capacity ? ` of ${power(capacity)}` : ''}`
  return (
    <span className={classes.root}>
      {capacity ? (
        <span
          className={classes.track}
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={capacity}
          aria-valuenow={Math.max(0, Math.min(value ?? 0, capacity))}
          aria-valuetext={text}
        >
          <span
            className={classes.fill}
            data-level={level}
            style={{ width: `${Math.max(0, Math.min(100, full * 100))}%` }}
          />
        </span>
      ) : null}
      {numbers && <span className={`${classes.text} num`}>{text}</span>}
    </span>
  )
}
