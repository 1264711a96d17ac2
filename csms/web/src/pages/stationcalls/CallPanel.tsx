import { Button, Group, Loader, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { sendJson } from '@/api/client'
import { asProblem, Problem } from '@/api/problem'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { exactTime } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Answer } from './Answer'
import { type Action, type Outcome, useSchema } from './catalogue'
import { maskedPlaces } from './masked'
import { PayloadFields, type Suggestions } from './PayloadFields'
import type { Schema } from './schema'
import { usePayload } from './usePayload'

interface CallPanelProps {
  stationId: string
  stationName: string
  online: boolean
  action: Action
  /** A payload to start with. */
  start?: unknown
  /** When the call was sent that `start` was taken from: it is asked once more before it goes out. */
  sentAt?: string
  suggestions?: Suggestions
}

/** One call to one station: its form, and what the station answers. */
export function CallPanel(props: CallPanelProps) {
  const schema = useSchema(props.action.action)
  return (
    <section className="card" style={{ padding: 14 }} aria-labelledby="call-title">
      <h2 id="call-title" style={{ margin: 0 }}>
        {props.action.title}{' '}
        <Text span size="sm" c="dimmed">
          {props.action.action}
        </Text>
      </h2>
      <Text c="dimmed" size="sm" mb="sm">
        {props.action.about}
      </Text>
      {schema.error && <ProblemNotice problem={schema.error} retry={() => schema.refetch()} />}
      {schema.data === undefined && !schema.error && <Loader aria-label="Loading" />}
      {schema.data && <Form key={props.action.action} {...props} schema={schema.data} />}
    </section>
  )
}

function Form({
  stationId,
  stationName,
  online,
  action,
  start,
  sentAt,
  suggestions,
  schema,
}: CallPanelProps & { schema: Schema }) {
  const payload = usePayload(action.action, schema, start)
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [answer, setAnswer] = useState<Outcome | null>(null)

  async function send() {
    const body = payload.build()
    setProblem(null)
    if (body === null) {
      setAnswer(null)
      return
    }
    const masked = maskedPlaces(body)
    if (masked.length > 0) {
      setAnswer(null)
      const again = masked.map((path) => [path, 'the log has masked it: type it again'])
      payload.blame(new Problem(422, 'masked', '', Object.fromEntries(again)))
      return
    }
    setBusy(true)
    setAnswer(null)
    try {
      const path = `/api/stations/${encodeURIComponent(stationId)}/calls/${action.action}`
      setAnswer(await sendJson<Outcome>('POST', path, body))
    } catch (error) {
      const found = asProblem(error)
      if (payload.blame(found) !== null) setProblem(found)
    } finally {
      setBusy(false)
      void queries.invalidateQueries({ queryKey: ['stations', stationId] })
    }
  }

  const asks = action.disrupts || sentAt !== undefined
  const words = busy ? 'Waiting for the station …' : 'Send'
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!asks) void send()
      }}
    >
      {sentAt !== undefined && (
        <Text size="sm" mb="xs" role="note">
          Filled with what was sent on {exactTime(sentAt)}. It goes out as a new call.
        </Text>
      )}
      <PayloadFields payload={payload} {...(suggestions ? { suggestions } : {})} />
      <Group mt="md" gap="sm">
        {asks ? (
          <ConfirmAction
            variant="filled"
            title={`${action.title}: ${stationName}?`}
            text={
              action.disrupts
                ? `${action.about} This may end a session or take the station out of service.`
                : `${action.about} It is sent once more.`
            }
            confirm="Send"
            disabled={busy || !online}
            act={async () => {
              void send()
            }}
          >
            {words}
          </ConfirmAction>
        ) : (
          <Button
            type="submit"
            disabled={busy || !online}
            leftSection={busy ? undefined : <Icon name="external" size={13} />}
          >
            {words}
          </Button>
        )}
        {!online && (
          <Text size="sm" c="dimmed">
            The station is offline; a call needs its connection.
          </Text>
        )}
      </Group>
      {problem && (
        <div style={{ marginTop: 12 }}>
          <ProblemNotice problem={problem} title="Not done" />
        </div>
      )}
      {answer && (
        <div style={{ marginTop: 12 }}>
          <Answer told={answer} />
        </div>
      )}
    </form>
  )
}
