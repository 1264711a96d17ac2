import { Button, type ButtonProps, Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import { tellProblem } from './notices'
import { usePending } from './pending'

interface PendingButtonProps extends ButtonProps {
  children: ReactNode
  /** Sends the command; throws a `Problem` when it is refused. */
  act: () => Promise<unknown>
  /** Whether the live state shows that it has happened, such as `status === 'Available'`. */
  done: boolean
  /** While the charger has not done it yet: `Stopping …`. */
  pendingText?: string
  /** After which the button says that it has seen nothing. Default: 60. */
  timeoutS?: number
}

/** A command to a charger: pending until the charger has really done it. */
export function PendingButton({ act, done, pendingText, timeoutS, children, ...button }: PendingButtonProps) {
  const { phase, run } = usePending({
    done,
    ...(timeoutS === undefined ? {} : { timeoutS }),
    onProblem: tellProblem,
  })
  const busy = phase === 'sending' || phase === 'waiting'
  return (
    <Tooltip
      label={
        phase === 'unconfirmed'
          ? 'The charger has agreed, and nothing has been seen of it yet'
          : 'Waiting for the charger'
      }
      disabled={phase === 'idle'}
    >
      <Button
        {...button}
        data-phase={phase}
        aria-busy={busy}
        data-disabled={busy || undefined}
        onClick={() => {
          if (!busy) void run(act)
        }}
        {...(phase === 'unconfirmed' ? { color: 'yellow', variant: 'outline' } : {})}
      >
        <span aria-live="polite">
          {busy
            ? (pendingText ?? 'Pending …')
            : phase === 'unconfirmed'
              ? 'Not confirmed – again?'
              : children}
        </span>
      </Button>
    </Tooltip>
  )
}
