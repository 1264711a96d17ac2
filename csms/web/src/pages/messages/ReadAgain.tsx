import { Button, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { sendJson } from '@/api/client'
import type { Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import type { LiveMessage } from '@/live/types'
import { Icon } from '@/parts/Icon'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StatusBadge } from '@/parts/StatusBadge'
import { pretty } from './lines'
import classes from './messages.module.css'
import { type Verdict, verdictOf } from './readings'
import { Text as Content } from './Text'

type Reread = components['schemas']['RereadOut']
type Reading = components['schemas']['ReadingOut']

/** What strict decoding and the repairs make of a message today, beside what was made of it then. */
export function ReadAgain({ message, answer }: { message: LiveMessage; answer: LiveMessage | null }) {
  const { mutate, data, error, isPending } = useMutation<Reread, Problem>({
    mutationFn: () =>
      sendJson('POST', `/api/stations/${encodeURIComponent(message.stationId ?? '')}/messages/reread`, {
        at: message.at,
        messageId: message.messageId,
      }),
  })
  return (
    <div className={classes.again}>
      <Button
        variant="default"
        leftSection={<Icon name="refresh" size={13} />}
        loading={isPending}
        onClick={() => mutate()}
      >
        Read once more
      </Button>
      {error && <ProblemNotice problem={error} />}
      {data && (
        <section aria-label="Read once more">
          <p role="status">
            {data.maskedWhole
              ? 'The log has masked all of it, so it cannot be read again.'
              : data.asThen
                ? 'It would be read just as it was then.'
                : 'It would be read otherwise today.'}{' '}
            <span className="dimmed">Nothing was stored by this.</span>
          </p>
          {data.masked.length > 0 && (
            <Text size="sm" className="dimmed">
              The log keeps no secrets: {data.masked.join(', ')} {data.masked.length === 1 ? 'was' : 'were'}{' '}
              read as ***.
            </Text>
          )}
          <div className={classes.readings}>
            <Made
              title="Then"
              verdict={thenOf(message, answer)}
              repairs={message.repairs ?? []}
              problems={[]}
              doubts={[]}
            />
            <Today title="Strictly, today" reading={data.strict} holds={data.stationStrict} then={message} />
            <Today
              title="With repairs, today"
              reading={data.repaired}
              holds={!data.stationStrict}
              then={message}
            />
          </div>
        </section>
      )}
    </div>
  )
}

function thenOf(message: LiveMessage, answer: LiveMessage | null): Verdict | null {
  if (message.type !== 'call' || answer === null) return null
  if (answer.type !== 'callError') return { tone: 'good', text: 'Taken' }
  const told = answer.payload as { errorCode?: string; errorDescription?: string } | null
  return {
    tone: 'bad',
    text: `Refused: ${told?.errorCode ?? 'an error'}`,
    ...(told?.errorDescription ? { detail: told.errorDescription } : {}),
  }
}

interface TodayProps {
  title: string
  reading: Reading
  /** Whether this is the one that the station gets. */
  holds: boolean
  then: LiveMessage
}

function Today({ title, reading, holds, then }: TodayProps) {
  const same = pretty(reading.payload) === pretty(then.payload)
  return (
    <>
      <Made
        title={title}
        holds={holds}
        verdict={verdictOf(reading)}
        repairs={reading.repairs}
        problems={reading.problems}
        doubts={reading.doubts}
      />
      {reading.verdict === 'taken' && (
        <div className={classes.content}>
          {same ? (
            <Text size="sm" c="dimmed">
              The same content as then.
            </Text>
          ) : (
            <Content label={`Content, ${title.toLowerCase()}`} text={pretty(reading.payload)} />
          )}
        </div>
      )}
    </>
  )
}

interface MadeProps {
  title: string
  holds?: boolean
  verdict: Verdict | null
  repairs: readonly string[]
  problems: readonly { field: string; text: string }[]
  doubts: readonly string[]
}

function Made({ title, holds, verdict, repairs, problems, doubts }: MadeProps) {
  return (
    <section className={classes.made} data-holds={holds || undefined} aria-label={title}>
      <h4>
        {title}
        {holds && <span className="dimmed"> – as this station is read</span>}
      </h4>
      {verdict && <StatusBadge status={null} tone={verdict.tone} text={verdict.text} />}
      {verdict?.detail && problems.length === 0 && <p className="dimmed">{verdict.detail}</p>}
      <p>{repairs.length > 0 ? `Repaired: ${repairs.join(', ')}` : 'No repair'}</p>
      {doubts.length > 0 && <p>Doubtful: {doubts.join(', ')}</p>}
      {problems.length > 0 && (
        <ul>
          {problems.map(({ field, text }) => (
            <li key={`${field} ${text}`}>
              <code>{field}</code> {text}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
