import { Button, Group, Textarea } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ok, sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { asProblem, type Problem } from '@/api/problem'
import { Ago } from '@/parts/Ago'
import { everyPage } from '@/parts/everyPage'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import tables from '@/parts/tables.module.css'
import type { IdTag } from '../idtags/tags'
import { pathOf, type Station } from './data'
import { type Entry, entriesOf, textOf } from './listText'
import classes from './station.module.css'

/** Of a thousand tags each; a station that takes more entries is not known. */
const MOST_PAGES = 20

const STATES: Readonly<Record<string, { text: string; tone: Tone }>> = {
  unknown: { text: 'Nothing is known of it', tone: 'idle' },
  pending: { text: 'Being told to the station', tone: 'busy' },
  installed: { text: 'The station has it', tone: 'good' },
  failed: { text: 'The station refuses it', tone: 'bad' },
  notSupported: { text: 'The station takes no lists', tone: 'warning' },
}

/** Whom the station lets in while it is offline. */
export function ListTab({ station }: { station: Station }) {
  const { may } = useMe()
  const [editing, setEditing] = useState(false)
  const found = useQuery({
    queryKey: ['stations', station.id, 'local-list'],
    queryFn: () =>
      ok(api.GET('/api/stations/{stationId}/local-list', { params: { path: { stationId: station.id } } })),
    refetchInterval: 4000,
  })
  if (found.error) return <ProblemNotice problem={found.error} retry={() => void found.refetch()} />
  const list = found.data
  if (list === undefined) return null
  const look = STATES[list.state] ?? { text: list.state, tone: 'idle' as Tone }
  return (
    <Section
      title="Local list"
      about="Whom the station lets in by itself, also while it is offline."
      actions={
        may('operator') &&
        !editing && (
          <Button variant="default" onClick={() => setEditing(true)}>
            {list.entries.length === 0 ? 'Make a list' : 'Change'}
          </Button>
        )
      }
    >
      <p className={tables.none} role="status">
        <StatusBadge status={list.state} text={look.text} tone={look.tone} />
        {list.installedVersion !== null && ` · version ${list.installedVersion} at the station`}
        {list.desiredVersion !== null && ` · version ${list.desiredVersion} is ours`}
      </p>
      {editing ? (
        <Edit station={station} entries={list.entries} close={() => setEditing(false)} />
      ) : list.entries.length === 0 ? (
        <p className={tables.none}>No entry is set.</p>
      ) : (
        <Scroller label="Entries">
          <table className={tables.table}>
            <thead>
              <tr>
                <th scope="col">Id tag</th>
                <th scope="col">State</th>
                <th scope="col">Parent</th>
                <th scope="col" data-align="right">
                  Ends
                </th>
              </tr>
            </thead>
            <tbody>
              {list.entries.map((entry) => (
                <tr key={entry.idTag}>
                  <td className={classes.mono}>{entry.idTag}</td>
                  <td>
                    <StatusBadge status={entry.status} />
                  </td>
                  <td className={classes.mono}>{entry.parentIdTag ?? ''}</td>
                  <td data-align="right">{entry.expiresAt ? <Ago at={entry.expiresAt} /> : 'never'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Section>
  )
}

function Edit({
  station,
  entries,
  close,
}: {
  station: Station
  entries: readonly Entry[]
  close: () => void
}) {
  const queries = useQueryClient()
  const [text, setText] = useState(textOf(entries))
  const [wrong, setWrong] = useState<string | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)

  async function load() {
    try {
      const tags = (await everyPage<IdTag>('/api/id-tags', MOST_PAGES)).items
      setText(
        textOf(
          tags.map(({ idTag, status, expiresAt, parentIdTag }) => ({
            idTag,
            status,
            expiresAt,
            parentIdTag,
          })),
        ),
      )
    } catch (error) {
      setProblem(asProblem(error))
    }
  }

  async function save() {
    const made = entriesOf(text)
    setProblem(null)
    setWrong(made.wrong)
    if (made.wrong !== null) return
    setBusy(true)
    try {
      await sendJson('PUT', pathOf(station.id, '/local-list'), { entries: made.entries })
      await queries.invalidateQueries({ queryKey: ['stations', station.id, 'local-list'] })
      close()
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <Textarea
        mt="sm"
        label="Entries"
        description="One a line: id tag, and behind commas status (Accepted or another), end, parent id tag."
        autosize
        minRows={6}
        maxRows={20}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={wrong}
      />
      {problem && (
        <div style={{ marginTop: 8 }}>
          <ProblemNotice problem={problem} />
        </div>
      )}
      <Group mt="sm" gap="xs">
        <Button loading={busy} onClick={() => void save()}>
          Set the list
        </Button>
        <Button variant="default" onClick={() => void load()}>
          All id tags of the system
        </Button>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
      </Group>
    </>
  )
}
