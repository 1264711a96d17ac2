import { Button, Drawer } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useMe } from '@/api/me'
import { hasPage } from '@/app/pages'
import type { LiveMessage } from '@/live/types'
import { exactTime } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageLink } from '@/parts/PageLink'
import { StatusBadge } from '@/parts/StatusBadge'
import type { HandedCall } from '../station/CallsTab'
import { type Line, pretty } from './lines'
import classes from './messages.module.css'
import { ReadAgain } from './ReadAgain'
import { Text } from './Text'

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
      {halves.map((message, index) => (
        <Half
          key={`${message.at} ${message.direction}`}
          message={message}
          answer={index === 0 ? (halves[1] ?? null) : null}
        />
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

function Half({ message, answer }: { message: LiveMessage; answer: LiveMessage | null }) {
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
      {message.direction === 'in' && message.stationId && <ReadAgain message={message} answer={answer} />}
      {message.direction === 'out' && message.type === 'call' && <SendAgain message={message} />}
    </section>
  )
}

/** Leads to the form of a call of ours, filled with what was sent. */
function SendAgain({ message: { stationId, action, payload, at } }: { message: LiveMessage }) {
  const { may } = useMe()
  const navigate = useNavigate()
  if (!may('operator') || !stationId || action === null) return null
  const call: HandedCall = { action, payload, sentAt: at }
  return (
    <Button
      variant="default"
      leftSection={<Icon name="external" size={13} />}
      onClick={() =>
        void navigate({
          to: '/stations/$stationId',
          params: { stationId } as never,
          search: { tab: 'calls', action } as never,
          state: { call } as never,
        })
      }
    >
      Send again …
    </Button>
  )
}
