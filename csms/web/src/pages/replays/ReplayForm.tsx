import { Button, Group, Select, Switch, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { asProblem, type Problem } from '@/api/problem'
import { useStations } from '@/live/hooks'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { Icon } from '@/parts/Icon'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Section } from '@/parts/Section'
import { StationSelect } from '@/parts/StationSelect'
import { localTime } from '../stationcalls/schema'
import { begin, ownIdentity, type Replay, type ReplayRequest } from './replays'

const SPEEDS = [
  { value: '0', label: 'Without waits' },
  { value: '1', label: 'As it was' },
  { value: '10', label: '10 times faster' },
  { value: '60', label: '60 times faster' },
]

/** The name that is played may be a real station's: the server says so, and it is asked again. */
const TAKEN = new Set(['station_connected', 'station_exists'])

interface ReplayFormProps {
  stationId: string | null
  from: string | undefined
  to: string | undefined
  begun: (replay: Replay) => void
}

/** Which messages, how fast, and as whom. */
export function ReplayForm({ stationId: given, from: since, to: until, begun }: ReplayFormProps) {
  const stations = useStations()
  const [stationId, setStationId] = useState(given)
  const [from, setFrom] = useState(since ? localTime(since) : '')
  const [to, setTo] = useState(until ? localTime(until) : '')
  const [speed, setSpeed] = useState('0')
  const [identity, setIdentity] = useState('')
  const [moveTimes, setMoveTimes] = useState(true)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const own = stationId === null ? '' : ownIdentity(stationId)
  const playedAs = identity.trim() || own
  const isOwn = playedAs === own
  const backwards = from !== '' && to !== '' && from >= to
  const fields = problem?.fields ?? {}

  function request(takeOver: boolean): ReplayRequest {
    return {
      stationId: stationId ?? '',
      ...(from ? { from: new Date(from).toISOString() } : {}),
      ...(to ? { to: new Date(to).toISOString() } : {}),
      ...(isOwn ? {} : { identity: playedAs }),
      ...(takeOver ? { takeOver } : {}),
      speed: Number(speed),
      moveTimes,
    }
  }

  async function play() {
    setBusy(true)
    setProblem(null)
    try {
      begun(await begin(request(false)))
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }

  const taken = problem !== null && TAKEN.has(problem.code)
  const known = stations.find(({ id }) => id === playedAs)
  return (
    <Section
      title="What, and how"
      about="A simulated charge point sends again what the station has sent, and answers our calls as it did; what we answer otherwise than then is listed. What it sends is stored as of any station: its sessions stand among all others, under the name it is played as."
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (stationId !== null && !backwards) void play()
        }}
      >
        <Group align="flex-start" gap="sm" mt="xs">
          <StationSelect
            label="Messages of"
            placeholder="Choose a station"
            withAsterisk
            value={stationId}
            onChange={(value) => {
              setStationId(value)
              setProblem(null)
            }}
          />
          <TextInput
            label="From (empty: all that is kept)"
            type="datetime-local"
            step={1}
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <TextInput
            label="To (empty: now)"
            type="datetime-local"
            step={1}
            value={to}
            error={backwards ? 'This is before it begins' : fields.to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          <Select
            label="Speed"
            allowDeselect={false}
            value={speed}
            onChange={(value) => setSpeed(value ?? '0')}
            data={SPEEDS}
          />
          <TextInput
            label="Played as"
            placeholder={own || 'REPLAY-…'}
            description="A new name becomes a station."
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            value={identity}
            error={fields.identity}
            onChange={(event) => {
              setIdentity(event.currentTarget.value)
              setProblem(null)
            }}
          />
        </Group>
        <Switch
          mt="sm"
          label="Move the times in the messages, so that the first is now"
          checked={moveTimes}
          onChange={(event) => setMoveTimes(event.currentTarget.checked)}
        />
        {known !== undefined && !isOwn && (
          <Text size="sm" mt="xs" role="status">
            <Icon name="alert" size={14} color="var(--csms-warning)" /> {known.name} is a station
            {known.online && ', and it is connected'}.
          </Text>
        )}
        {problem && (
          <div style={{ marginTop: 12 }}>
            <ProblemNotice problem={problem} title="Not played" />
          </div>
        )}
        <Group mt="md" gap="sm">
          <Button
            type="submit"
            loading={busy}
            disabled={stationId === null || backwards}
            leftSection={<Icon name="play" size={13} />}
          >
            Play
          </Button>
          {taken && (
            <ConfirmAction
              color="red"
              title={`Play as ${playedAs} all the same?`}
              text="The real station loses its connection while the replay runs, and what is played stands among its own sessions and messages. It cannot be taken out again."
              confirm={`Play as ${playedAs}`}
              act={async () => {
                const replay = await begin(request(true))
                setProblem(null)
                begun(replay)
              }}
            >
              Play as {playedAs} all the same …
            </ConfirmAction>
          )}
        </Group>
      </form>
    </Section>
  )
}
