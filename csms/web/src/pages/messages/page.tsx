import { Button, Group, SegmentedControl, Select, TextInput, VisuallyHidden } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { useMessages } from '@/live/hooks'
import type { LiveMessage } from '@/live/types'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { count, exactTime } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StationSelect } from '@/parts/StationSelect'
import { StatusBadge } from '@/parts/StatusBadge'
import { useConfigured } from '../simulator/about'
import { useActions } from '../stationcalls/catalogue'
import { Frame } from './Frame'
import { type Filter, gist, joined, type Line, linesOf, passes } from './lines'
import classes from './messages.module.css'

interface Search extends Filter {
  view?: 'log'
  stationId?: string
  action?: string
}

const FROM_STATIONS = [
  'Authorize',
  'BootNotification',
  'DiagnosticsStatusNotification',
  'FirmwareStatusNotification',
  'Heartbeat',
  'LogStatusNotification',
  'MeterValues',
  'SecurityEventNotification',
  'SignCertificate',
  'SignedFirmwareStatusNotification',
  'StartTransaction',
  'StatusNotification',
  'StopTransaction',
]
const TYPING_MS = 300

/** OCPP messages: as they come, and found again. */
export default function MessagesPage() {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const actions = useActions()
  const [opened, setOpened] = useState<Line | null>(null)
  const set = (change: Partial<Record<keyof Search, string | undefined>>) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })
  const names = useMemo(
    () => [...new Set([...FROM_STATIONS, ...(actions.data ?? []).map(({ action }) => action)])].sort(),
    [actions.data],
  )
  const log = search.view === 'log'
  const { may } = useMe()
  const canPlay = useConfigured() && may('operator')
  const shared = { search, open: setOpened, opened }

  return (
    <>
      <PageHeader
        title="Messages"
        subtitle={log ? 'The log, the newest first' : 'As they come, the newest first'}
        actions={
          <>
            {canPlay && (
              <Button
                variant="default"
                leftSection={<Icon name="play" size={14} />}
                onClick={() =>
                  void navigate({
                    to: '/messages/replay',
                    search: { stationId: search.stationId } as never,
                  })
                }
              >
                Play again …
              </Button>
            )}
            {search.stationId && (
              <Button
                component="a"
                variant="default"
                leftSection={<Icon name="download" size={14} />}
                href={`/api/stations/${encodeURIComponent(search.stationId)}/messages/export`}
                title="All messages of this station as a bundle: python -m simulator replay plays it back"
                download
              >
                Bundle of {search.stationId}
              </Button>
            )}
          </>
        }
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Messages">
        <SegmentedControl
          aria-label="Which"
          size="xs"
          value={log ? 'log' : 'live'}
          onChange={(value) => set({ view: value === 'log' ? 'log' : undefined })}
          data={[
            { value: 'live', label: 'Live' },
            { value: 'log', label: 'Log' },
          ]}
        />
        <StationSelect
          w={{ base: '48%', xs: 220 }}
          value={search.stationId}
          onChange={(value) => set({ stationId: value ?? undefined })}
        />
        <Select
          aria-label="Action"
          placeholder="Any action"
          clearable
          searchable
          w={{ base: '48%', xs: 210 }}
          value={search.action ?? null}
          onChange={(value) => set({ action: value ?? undefined })}
          data={names}
        />
        <Select
          aria-label="Direction"
          placeholder="Both ways"
          clearable
          w={{ base: '48%', xs: 150 }}
          value={search.direction ?? null}
          onChange={(value) => set({ direction: value ?? undefined })}
          data={[
            { value: 'in', label: 'From stations' },
            { value: 'out', label: 'To stations' },
          ]}
        />
        <Select
          aria-label="Repairs"
          placeholder="Repaired or not"
          clearable
          w={{ base: '48%', xs: 150 }}
          value={search.repair ?? null}
          onChange={(value) => set({ repair: value ?? undefined })}
          data={[{ value: 'any', label: 'Repaired only' }]}
        />
        <TextInput
          data-filter
          aria-label="Text in the message"
          placeholder="Text in the message"
          leftSection={<Icon name="search" size={15} />}
          w={{ base: '100%', xs: 220 }}
          value={search.text ?? ''}
          onChange={(event) => set({ text: event.currentTarget.value || undefined })}
        />
      </Group>
      {log ? <Log {...shared} /> : <Live {...shared} />}
      <Frame line={opened} close={() => setOpened(null)} />
    </>
  )
}

interface Shared {
  search: Search
  open: (line: Line) => void
  opened: Line | null
}

/** What comes while one looks; it can be held still. */
function Live({ search, open, opened }: Shared) {
  const [paused, setPaused] = useState(false)
  const { stationId, action, direction, text, repair } = search
  const filter = useMemo(
    () => (paused ? null : { ...(stationId ? { stationId } : {}), ...(action ? { action } : {}) }),
    [paused, stationId, action],
  )
  const { messages, dropped, begun, clear } = useMessages(filter)
  const [clearedAt, setClearedAt] = useState('')
  // what came just before one looks; asked anew while nothing comes live: another node may hear the station
  const recent = useQuery({
    queryKey: ['messages', 'recent', stationId, action],
    queryFn: () => {
      const query = new URLSearchParams({ limit: '100' })
      if (stationId) query.set('stationId', stationId)
      if (action) query.set('action', action)
      return sendJson<{ items: LiveMessage[] }>('GET', `/api/messages?${query}`)
    },
    refetchInterval: messages.length === 0 && !paused ? 2000 : false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })
  // what came between an answer and the first live message would be missing, and what came during a cut
  const { refetch } = recent
  useEffect(() => {
    if (begun > 0) void refetch()
  }, [begun, refetch])
  const lines = useMemo(
    () => linesOf(joined(recent.data?.items ?? [], messages).filter(({ at }) => at > clearedAt)),
    [recent.data, messages, clearedAt],
  )
  const shown = useMemo(() => {
    const wanted: Filter = {
      ...(direction ? { direction } : {}),
      ...(text ? { text } : {}),
      ...(repair ? { repair } : {}),
    }
    return lines.filter((line) => passes(line.message, wanted))
  }, [lines, direction, text, repair])
  return (
    <>
      <Group gap="xs" mb="xs">
        <Button
          size="xs"
          variant="default"
          aria-pressed={paused}
          leftSection={<Icon name={paused ? 'play' : 'pause'} size={14} />}
          onClick={() => setPaused(!paused)}
        >
          {paused ? 'Go on' : 'Pause'}
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={lines.length === 0}
          onClick={() => {
            setClearedAt(lines[0]?.message.at ?? '')
            clear()
          }}
        >
          Clear
        </Button>
        <span className="dimmed num" role="status">
          {count(shown.length)} shown
          {dropped > 0 && `, ${count(dropped)} left out: too many at once`}
          {paused && ', held still'}
        </span>
      </Group>
      <Table
        label="Live messages"
        rows={shown}
        open={open}
        opened={opened}
        empty={
          <EmptyState icon="message" title={paused ? 'Held still' : 'Waiting for messages'}>
            {paused ? 'Let it go on to see what comes.' : 'What stations say and hear stands here at once.'}
          </EmptyState>
        }
      />
    </>
  )
}

/** What is kept, searched on the server. */
function Log({ search, open, opened }: Shared) {
  const [text] = useDebouncedValue(search.text ?? '', TYPING_MS)
  const query = new URLSearchParams({ limit: '200' })
  for (const name of ['stationId', 'action', 'direction', 'repair'] as const) {
    const value = search[name]
    if (value) query.set(name, value)
  }
  if (text) query.set('text', text)
  const list = useListing<LiveMessage>(`/api/messages?${query}`, 600)
  const lines = useMemo(() => linesOf([...(list.items ?? [])].reverse()), [list.items])
  if (list.error) return <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
  return (
    <>
      <Table
        label="Logged messages"
        rows={lines}
        open={open}
        opened={opened}
        empty={
          <EmptyState
            icon="search"
            title={list.items === undefined || list.isFetching ? 'Searching …' : 'Nothing found'}
          >
            {list.items !== undefined &&
              !list.isFetching &&
              (list.hasNextPage
                ? 'Nothing in what was searched so far; go on to search what is older.'
                : 'No message that is kept is like this.')}
          </EmptyState>
        }
      />
      <Group mt="xs" gap="sm">
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="refresh" size={14} />}
          onClick={() => void list.refetch()}
        >
          Search again
        </Button>
        {list.hasNextPage && (
          <Button
            size="xs"
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show older ones
          </Button>
        )}
        <span className="dimmed num" role="status">
          {count(lines.length)} shown
        </span>
      </Group>
    </>
  )
}

interface TableProps {
  label: string
  rows: readonly Line[]
  open: (line: Line) => void
  opened: Line | null
  empty: React.ReactNode
}

function Table({ label, rows, open, opened, empty }: TableProps) {
  const columns = useMemo(() => columnsOf(open), [open])
  return (
    <DataTable
      label={label}
      columns={columns}
      rows={rows}
      rowKey={(line) => line.key}
      onOpen={open}
      selected={(line) => line.key === opened?.key}
      rowHeight={34}
      empty={empty}
    />
  )
}

function columnsOf(open: (line: Line) => void): readonly Column<Line>[] {
  return [
    {
      id: 'at',
      header: 'Time',
      width: 118,
      cell: ({ message }) => (
        <span className="num" title={exactTime(message.at)}>
          {clockTime(message.at)}
        </span>
      ),
      value: ({ message }) => message.at,
    },
    {
      id: 'station',
      header: 'Station',
      cell: ({ message }) => message.stationId,
      value: ({ message }) => message.stationId,
      width: 150,
      from: 640,
    },
    {
      id: 'action',
      header: 'Action',
      cell: (line) => (
        <button
          type="button"
          className={classes.action}
          onClick={(event) => {
            event.stopPropagation()
            open(line)
          }}
        >
          <span className={classes.way} data-way={line.message.direction}>
            {line.message.direction === 'in' ? '→' : '←'}
            <VisuallyHidden>
              {line.message.direction === 'in' ? ' from the station: ' : ' to the station: '}
            </VisuallyHidden>
          </span>
          {line.message.action ?? 'not readable'}
          {line.message.type !== 'call' && <span className="dimmed"> {kindOf(line.message)}</span>}
        </button>
      ),
      value: ({ message }) => message.action,
      width: 270,
    },
    {
      id: 'gist',
      header: 'Content',
      cell: ({ message }) => <span className={classes.gist}>{gist(message)}</span>,
      from: 720,
    },
    {
      id: 'repairs',
      header: 'Repaired',
      cell: ({ message }) =>
        (message.repairs ?? []).length > 0 && (
          <StatusBadge status="Pending" tone="warning" text={(message.repairs ?? []).join(', ')} />
        ),
      value: ({ message }) => (message.repairs ?? []).length,
      width: 150,
      from: 860,
    },
    {
      id: 'latency',
      header: 'Latency',
      align: 'right',
      cell: ({ message, other }) => latency(message.latencyMs ?? other?.latencyMs),
      value: ({ message, other }) => message.latencyMs ?? other?.latencyMs,
      width: 96,
      from: 520,
    },
  ]
}

function kindOf(message: LiveMessage): string {
  return message.type === 'callResult' ? 'answer' : message.type === 'callError' ? 'error' : ''
}

function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return ''
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function clockTime(at: string): string {
  const time = new Date(at)
  const text = time.toLocaleTimeString('en-GB', { hour12: false })
  return `${text}.${String(time.getMilliseconds()).padStart(3, '0')}`
}
