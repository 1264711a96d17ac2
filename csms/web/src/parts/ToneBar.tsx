import type { Tone } from './StatusBadge'
import classes from './ToneBar.module.css'

export interface TonePart {
  key: string
  /** `none` is what is still to come. */
  tone: Tone | 'none'
  /** Its share of the whole, in any unit. */
  size: number
}

interface ToneBarProps {
  parts: readonly TonePart[]
  /** Of one that grows: read aloud with how far it has come. */
  progress?: { label: string; value: number; max: number }
}

/** How a whole is made of parts, by colour; what it says stands beside it in words. */
export function ToneBar({ parts, progress }: ToneBarProps) {
  const read =
    progress === undefined
      ? { 'aria-hidden': true as const }
      : {
          role: 'progressbar',
          'aria-label': progress.label,
          'aria-valuemin': 0,
          'aria-valuemax': progress.max,
          'aria-valuenow': progress.value,
        }
  return (
    <div className={classes.bar} {...read}>
      {parts.map(({ key, tone, size }) => (
        <span key={key} data-tone={tone} style={{ flexGrow: size }} />
      ))}
    </div>
  )
}
