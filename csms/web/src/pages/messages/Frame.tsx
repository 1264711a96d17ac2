import { Button, CopyButton, Drawer, Group } from '@mantine/core'
import { hasPage } from '@/app/pages'
import type { LiveMessage } from '@/live/types'
import { exactTime } from '@/parts/format'
import { PageLink } from '@/parts/PageLink'
import { StatusBadge } from '@/parts/StatusBadge'
import { type Line, pretty } from './lines'
import classes from './messages.module.css'

/** One message and its other half: what was understood beside what was really sent. */
export function Frame({ line, close }: { line: Line | null; close: () => void }) {
  const halves =
    line === null
      ? []
      : line.other === null
        ? [line.message]
        : line.message.type === 'call'
          ? [line.message, line.other]
          : [line.other, line.message]
  return (
    <Drawer
      opened={line !== null}
      onClose={close}
      position="right"
      size="lg"
      title={line?.message.action ?? 'Message'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {halves.map((message) => (
        <Half key={`${message.at} ${message.direction}`} message={message} />
      ))}
      {line !== null && line.other === null && line.message.type !== null && (
        <p className="dimmed">
          {line.message.type === 'call'
            ? 'Its answer is not among the messages shown.'
            : 'Its call is not among the messages shown.'}
        </p>
      )}
      {line?.message.stationId && hasPage('/stations/$stationId') && (
        <p>
          <PageLink to="/stations/$stationId" params={{ stationId: line.message.stationId }}>
            Station {line.message.stationId}
          </PageLink>
        </p>
      )}
    </Drawer>
  )
}

function Half({ message }: { message: LiveMessage }) {
  const repairs = message.repairs ?? []
  return (
    <section className={classes.half}>
      <h3>
        {message.type === 'call' ? 'Call' : message.type === 'callError' ? 'Error' : 'Answer'}{' '}
        {message.direction === 'in' ? 'from the station' : 'to the station'}
      </h3>
      <p className="dimmed num">
        {exactTime(message.at)}
        {message.messageId !== null && <> · id {message.messageId}</>}
        {message.latencyMs !== null && message.latencyMs !== undefined && (
          <> · after {message.latencyMs.toFixed(1)} ms</>
        )}
      </p>
      {repairs.length > 0 && (
        <p>
          <StatusBadge status="Pending" tone="warning" text={`Repaired: ${repairs.join(', ')}`} />
        </p>
      )}
      {message.payload !== null && message.payload !== undefined && (
        <Text
          label={repairs.length > 0 ? 'As it was understood' : 'Content'}
          text={pretty(message.payload)}
        />
      )}
      <Text label="As it was sent" text={message.raw ?? ''} />
    </section>
  )
}

function Text({ label, text }: { label: string; text: string }) {
  return (
    <>
      <Group justify="space-between" gap="xs">
        <b>{label}</b>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="subtle" onClick={copy} aria-label={`Copy: ${label}`}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <pre className={classes.raw} tabIndex={0}>
        {text}
      </pre>
    </>
  )
}
