import { Alert, Text } from '@mantine/core'
import { Icon } from '@/parts/Icon'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import classes from './calls.module.css'

interface Told {
  outcome: string | null
  status: string | null
  response: Readonly<Record<string, unknown>> | null
  errorCode?: string | null
  errorDescription?: string | null
  warnings: readonly string[]
}

const TONES: Readonly<Record<string, Tone>> = {
  accepted: 'good',
  rejected: 'bad',
  callError: 'bad',
  timeout: 'warning',
  offline: 'idle',
  station_offline: 'idle',
  notSent: 'idle',
  cancelled: 'idle',
  sessionRuns: 'idle',
}

const TEXTS: Readonly<Record<string, string>> = {
  accepted: 'Accepted',
  rejected: 'Rejected',
  callError: 'Refused by the protocol',
  timeout: 'No answer',
  offline: 'Offline',
  connectionLost: 'Connection lost',
  connection_lost: 'Connection lost',
  call_timeout: 'No answer',
  station_offline: 'Offline',
  too_early: 'Too early',
  invalid_response: 'An answer that cannot be read',
  refused_locally: 'Not sent',
  notSent: 'Not sent',
  cancelled: 'Cancelled',
  sessionRuns: 'Left out: a session runs',
  files_off: 'Files are off',
  firmware_not_found: 'The image is gone',
  firmware_not_signed: 'The image is not signed',
  invalid_payload: 'Does not fit this station',
}

/** Returns what has become of a call, in words; the code itself where there are none. */
export function outcomeText(outcome: string | null): string {
  return outcome === null ? 'Waiting' : (TEXTS[outcome] ?? outcome)
}

export function outcomeTone(outcome: string | null): Tone {
  return outcome === null ? 'busy' : (TONES[outcome] ?? 'warning')
}

export function OutcomeBadge({ outcome, status }: Pick<Told, 'outcome' | 'status'>) {
  const text = outcomeText(outcome)
  const more = status !== null && status !== text ? ` (${status})` : ''
  return <StatusBadge status={outcome} tone={outcomeTone(outcome)} text={`${text}${more}`} />
}

/** What a station has answered, and what is worth a thought. */
export function Answer({ told }: { told: Told }) {
  return (
    <div role="status" aria-label="Answer">
      <OutcomeBadge outcome={told.outcome} status={told.status} />
      {told.errorCode && (
        <Text size="sm" mt={4}>
          <b>{told.errorCode}</b> {told.errorDescription}
        </Text>
      )}
      {told.warnings.length > 0 && (
        <Alert color="yellow" variant="light" icon={<Icon name="alert" />} title="Worth a thought" mt="xs">
          {told.warnings.map((warning) => (
            <Text size="sm" key={warning}>
              {warning}
            </Text>
          ))}
        </Alert>
      )}
      {told.response !== null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        <pre className={classes.json} tabIndex={0}>
          {JSON.stringify(told.response, null, 2)}
        </pre>
      )}
    </div>
  )
}
