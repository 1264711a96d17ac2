import { Button, Group, Text } from '@mantine/core'
import { sendJson } from '@/api/client'
import { count, duration } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { tellProblem } from '@/parts/notices'
import { PageLink } from '@/parts/PageLink'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import { ToneBar } from '@/parts/ToneBar'
import tables from '@/parts/tables.module.css'
import { callsIn, grouped, REPLAYS, type Replay } from './replays'

const STATES: Readonly<Record<Replay['state'], { tone: Tone; text: string }>> = {
  playing: { tone: 'busy', text: 'Playing' },
  done: { tone: 'good', text: 'Played' },
  stopped: { tone: 'idle', text: 'Stopped' },
  failed: { tone: 'bad', text: 'Broken off' },
}

const MOST_LINES = 8

export function ReplayState({ replay }: { replay: Pick<Replay, 'state'> }) {
  const { tone, text } = STATES[replay.state]
  return <StatusBadge status={null} tone={tone} text={text} />
}

/** How far a replay is, and what we have answered otherwise than it was recorded. */
export function ReplayView({ replay, again }: { replay: Replay; again: () => void }) {
  const { state, sent, total, answered, connections, seconds, calls, differenceCount } = replay
  const groups = grouped(replay.differences)
  const told = replay.differences.length
  return (
    <Section
      title={`Messages of ${replay.recordedStationId}, played as ${replay.stationId}`}
      actions={
        state === 'playing' && (
          <Button
            variant="default"
            leftSection={<Icon name="stop" size={13} />}
            onClick={() => {
              sendJson('POST', `${REPLAYS}/${encodeURIComponent(replay.id)}/stop`, {})
                .then(again)
                .catch(tellProblem)
            }}
          >
            Stop
          </Button>
        )
      }
    >
      <div style={{ marginTop: 8 }}>
        <ToneBar
          progress={{ label: 'Messages sent', value: sent, max: total }}
          parts={[
            { key: 'sent', tone: STATES[state].tone, size: sent },
            { key: 'rest', tone: 'none', size: total - sent },
          ]}
        />
      </div>
      <Group gap="md" mt="xs">
        <ReplayState replay={replay} />
        <span className="num" role="status">
          {count(sent)} of {count(total)} messages sent, {count(answered)} answered, {count(differenceCount)}{' '}
          {differenceCount === 1 ? 'difference' : 'differences'}
        </span>
        <span className="dimmed num">
          {count(connections)} {connections === 1 ? 'connection' : 'connections'}
          {state !== 'playing' && `, ${duration(seconds)}`}
        </span>
        <PageLink to="/messages" search={{ stationId: replay.stationId, view: 'log' }}>
          What was said
        </PageLink>
        <PageLink to="/stations/$stationId" params={{ stationId: replay.stationId }}>
          Station {replay.stationId}
        </PageLink>
      </Group>
      {replay.brokenOff !== null && state !== 'stopped' && (
        <Text mt="xs" size="sm" c="var(--csms-bad)" role="alert">
          {replay.brokenOff}
        </Text>
      )}
      {!replay.isWhole && (
        <Text mt="xs" size="sm" c="dimmed">
          The recording is not whole: some of its messages are missing.
        </Text>
      )}
      {state !== 'playing' && differenceCount === 0 && sent > 0 && (
        <Text mt="sm">Everything was answered as it was then.</Text>
      )}
      {groups.length > 0 && (
        <Scroller label="What differed" height={460}>
          <table className={tables.table}>
            <thead>
              <tr>
                <th scope="col">Where</th>
                <th scope="col">What</th>
                <th scope="col">Recorded</th>
                <th scope="col">Today</th>
                <th scope="col" data-align="right">
                  Times
                </th>
                <th scope="col">Lines of the recording</th>
              </tr>
            </thead>
            <tbody>
              {groups.map(({ key, place, why, recorded, got, lines }) => (
                <tr key={key}>
                  <td>
                    <code>{place}</code>
                  </td>
                  <td>{why}</td>
                  <td>
                    <code>{recorded}</code>
                  </td>
                  <td>
                    <code>{got}</code>
                  </td>
                  <td data-align="right">{count(lines.length)}</td>
                  <td className="dimmed">
                    {lines.slice(0, MOST_LINES).join(', ')}
                    {lines.length > MOST_LINES && ', …'}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
      {told < differenceCount && <p className="dimmed">The first {count(told)} are shown.</p>}
      <Calls title="Calls of ours that the recording has no answer to" counts={calls.unexpected} />
      {state !== 'playing' && (
        <Calls title="Calls in the recording that we did not make" counts={calls.neverMade} />
      )}
    </Section>
  )
}

function Calls({ title, counts }: { title: string; counts: Readonly<Record<string, number>> }) {
  if (Object.keys(counts).length === 0) return null
  return (
    <Text size="sm" mt="xs">
      {title}: {callsIn(counts)}
    </Text>
  )
}
