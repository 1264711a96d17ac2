import { Button, Loader, Modal, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { sendJson } from '@/api/client'
import { asProblem, type Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { FormEnd } from '@/parts/FormEnd'
import { count } from '@/parts/format'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { StatusBadge } from '@/parts/StatusBadge'
import { ToneBar } from '@/parts/ToneBar'
import tables from '@/parts/tables.module.css'
import { type Change, inPieces, NOTHING_DONE, type Tally, WORDS } from './bulk'

const LOOKED_AT = 1000
const CHANGED = 100
const MOST_SHOWN = 200

interface BulkProps {
  change: Change
  ids: readonly string[]
  /** `changed`: whether anything was. */
  close: (changed: boolean) => void
}

/** One change of many tags: what would come of it, then piece by piece what has. */
export function Bulk({ change, ids, close }: BulkProps) {
  const queries = useQueryClient()
  const words = WORDS[change]
  const [trial, setTrial] = useState<Tally | null>(null)
  const [tally, setTally] = useState<Tally | null>(null)
  const [running, setRunning] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const stopped = useRef(false)
  useEffect(
    () => () => {
      stopped.current = true
    },
    [],
  )

  const send = useCallback(
    async (idTags: readonly string[], preview: boolean) =>
      (
        await sendJson<components['schemas']['IdTagsBulkOut']>('POST', '/api/id-tags/bulk', {
          idTags,
          change,
          preview,
        })
      ).items,
    [change],
  )

  const look = useCallback(async () => {
    setProblem(null)
    let found = NOTHING_DONE
    try {
      await inPieces({
        ids,
        size: LOOKED_AT,
        send: (piece) => send(piece, true),
        told: (next) => {
          found = next
          return !stopped.current
        },
      })
      setTrial(found)
    } catch (error) {
      setProblem(asProblem(error))
    }
  }, [ids, send])

  useEffect(() => {
    stopped.current = false
    void look()
  }, [look])

  async function go() {
    stopped.current = false
    setRunning(true)
    setProblem(null)
    try {
      await inPieces({
        ids,
        size: CHANGED,
        send: (piece) => send(piece, false),
        from: tally ?? NOTHING_DONE,
        told: (next) => {
          setTally(next)
          return !stopped.current
        },
      })
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setRunning(false)
      // what is deleted is not asked for again by itself
      void queries.invalidateQueries({
        queryKey: ['id-tags'],
        predicate: ({ queryKey }) => queryKey[1] !== 'one',
      })
    }
  }

  const over = tally !== null && tally.done === ids.length
  const shown = tally ?? trial
  return (
    <Modal
      opened
      onClose={() => close((tally?.changed ?? 0) > 0)}
      title={`${words.button} ${tagsOf(ids.length)}`}
      size="lg"
      closeOnClickOutside={!running}
    >
      <Stack gap="sm">
        <Text size="sm">{words.about}</Text>
        {shown === null && problem === null && <Loader aria-label="Loading" />}
        {tally !== null && <Progress tally={tally} total={ids.length} />}
        {shown !== null && (
          <div role="status">
            <ul style={{ margin: 0, paddingLeft: '1.2em' }}>
              {linesOf(change, shown, tally !== null).map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </div>
        )}
        {shown !== null && shown.notes.length > 0 && <Notes tally={shown} />}
        {problem && <ProblemNotice problem={problem} {...(tally ? {} : { retry: () => void look() })} />}
      </Stack>
      <FormEnd rest={null}>
        {running ? (
          <Button
            variant="default"
            onClick={() => {
              stopped.current = true
            }}
          >
            Stop here
          </Button>
        ) : (
          <Button variant="default" data-autofocus onClick={() => close((tally?.changed ?? 0) > 0)}>
            {tally === null ? 'Cancel' : 'Close'}
          </Button>
        )}
        {!over && (
          <Button
            {...(change === 'accept' ? {} : { color: 'red' })}
            loading={running}
            disabled={trial === null || trial.changed === 0}
            onClick={() => void go()}
          >
            {tally === null ? `${words.button} ${tagsOf(trial?.changed ?? ids.length)}` : 'Go on'}
          </Button>
        )}
      </FormEnd>
    </Modal>
  )
}

function tagsOf(number: number): string {
  return `${count(number)} ${number === 1 ? 'tag' : 'tags'}`
}

function linesOf(change: Change, tally: Tally, real: boolean): string[] {
  const words = WORDS[change]
  const { changed, unchanged, refused, sessions, members } = tally
  return [
    `${count(changed)} ${real ? words.done : words.will}`,
    ...(unchanged > 0 ? [`${count(unchanged)} ${words.already}`] : []),
    ...(refused > 0 ? [`${count(refused)} refused: see below`] : []),
    ...(sessions > 0
      ? [
          `${count(sessions)} ${sessions === 1 ? 'session runs' : 'sessions run'} with them, and ${sessions === 1 ? 'goes' : 'go'} on`,
        ]
      : []),
    ...(change === 'delete' && members > 0
      ? [`${tagsOf(members)} ${members === 1 ? 'names' : 'name'} one of them as group, and stay in it`]
      : []),
  ]
}

function Progress({ tally, total }: { tally: Tally; total: number }) {
  return (
    <div>
      <ToneBar
        progress={{ label: 'Tags that are done', value: tally.done, max: total }}
        parts={[
          { key: 'changed', tone: 'good', size: tally.changed },
          { key: 'unchanged', tone: 'idle', size: tally.unchanged },
          { key: 'refused', tone: 'bad', size: tally.refused },
          { key: 'waiting', tone: 'none', size: total - tally.done },
        ]}
      />
      <Text size="sm" c="dimmed" mt={4} className="num">
        {count(tally.done)} of {count(total)}
      </Text>
    </div>
  )
}

function Notes({ tally }: { tally: Tally }) {
  // what was refused comes first: that is what needs somebody
  const rows = [...tally.notes].sort(
    (a, b) => Number(b.outcome === 'refused') - Number(a.outcome === 'refused'),
  )
  return (
    <div>
      <Scroller label="What there is to know" height={260}>
        <table className={tables.table}>
          <thead>
            <tr>
              <th scope="col">Id tag</th>
              <th scope="col">Outcome</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST_SHOWN).map((each) => (
              <tr key={each.idTag}>
                <td data-fixed>{each.idTag}</td>
                <td>
                  {each.outcome === 'refused' ? (
                    <StatusBadge status="refused" />
                  ) : (
                    <StatusBadge status="Pending" text="To know" />
                  )}
                </td>
                <td>{each.detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {rows.length > MOST_SHOWN && <p className={tables.none}>and {count(rows.length - MOST_SHOWN)} more</p>}
    </div>
  )
}
