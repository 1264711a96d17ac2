import { Alert, Button, Group, Loader, Modal, Stack, Text } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { send } from '@/api/client'
import { asProblem, type Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StationSelect } from '@/parts/StationSelect'
import { StatusBadge } from '@/parts/StatusBadge'

type Learned = components['schemas']['LearnedOut']

const WAIT_S = 60

interface LearnProps {
  close: () => void
  /** Told the tag that was presented. */
  learned: (idTag: string) => void
}

/** Waits until somebody holds a card to a charger's reader that is not known yet. */
export function Learn({ close, learned }: LearnProps) {
  const [stationId, setStation] = useState<string | null>(null)
  const [waiting, setWaiting] = useState(false)
  const [heard, setHeard] = useState<Learned | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const asking = useRef<AbortController | null>(null)
  useEffect(() => () => asking.current?.abort(), [])

  async function listen() {
    const abort = new AbortController()
    asking.current = abort
    setWaiting(true)
    setHeard(null)
    setProblem(null)
    try {
      const answer = await send('/api/id-tags/learn', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ stationId, waitS: WAIT_S }),
        signal: abort.signal,
      })
      const found = (await answer.json()) as Learned
      if (abort.signal.aborted) return
      if (found.idTag !== null) learned(found.idTag)
      else setHeard(found)
    } catch (error) {
      if (!abort.signal.aborted) setProblem(asProblem(error))
    } finally {
      if (!abort.signal.aborted) setWaiting(false)
    }
  }

  function stop() {
    asking.current?.abort()
    setWaiting(false)
  }

  return (
    <Modal opened onClose={close} title="Learn the next tag">
      <Stack gap="sm">
        <Text size="sm">
          Hold a card to a charger's reader: its number is taken from there, and nothing is kept before you
          say so.
        </Text>
        <StationSelect
          label="At which station"
          w="100%"
          disabled={waiting}
          value={stationId}
          onChange={setStation}
        />
        <div role="status">
          {waiting && (
            <Group gap="xs">
              <Loader size="sm" />
              <Text size="sm">Waiting up to a minute for a card …</Text>
            </Group>
          )}
          {heard !== null && (
            <Alert color="yellow" variant="light" title="No new tag has come">
              {heard.known.length === 0
                ? 'No card was read. Is the charger online, and was the card held to it long enough?'
                : heard.known.map((tag) => (
                    <Group key={tag.idTag} gap="xs">
                      <span>
                        {tag.idTag} {tag.name && `(${tag.name})`} was read, and is known already.
                      </span>
                      <StatusBadge status={tag.status} />
                    </Group>
                  ))}
            </Alert>
          )}
        </div>
        {problem && <ProblemNotice problem={problem} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={waiting ? stop : close}>
            {waiting ? 'Stop waiting' : 'Close'}
          </Button>
          <Button disabled={waiting} onClick={() => void listen()}>
            {heard === null && problem === null ? 'Wait for a card' : 'Wait again'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
