import { useQuery } from '@tanstack/react-query'
import { sendJson } from '@/api/client'
import type { Problem } from '@/api/problem'

/** One difference between a recorded answer and ours. */
export interface Difference {
  line: number
  action: string
  place: string
  why: 'field' | 'kind' | 'missing' | 'unrecorded' | 'not readable'
  recorded: unknown
  got: unknown
}

/** A replay as the simulator shows it. */
export interface Replay {
  id: string
  state: 'playing' | 'done' | 'stopped' | 'failed'
  recordedStationId: string
  /** Under which it is played. */
  stationId: string
  beganAt: string
  speed: number
  isWhole: boolean
  total: number
  sent: number
  answered: number
  connections: number
  seconds: number
  transactions: { recorded: number; given: number }[]
  differences: Difference[]
  differenceCount: number
  calls: {
    made: Record<string, number>
    unexpected: Record<string, number>
    neverMade: Record<string, number>
  }
  brokenOff: string | null
}

export interface ReplayRequest {
  stationId: string
  from?: string
  to?: string
  identity?: string
  takeOver?: boolean
  speed: number
  moveTimes: boolean
}

export const REPLAYS = '/api/simulator/replays'

export function begin(request: ReplayRequest): Promise<Replay> {
  return sendJson('POST', REPLAYS, request)
}

/** Follows a replay while it plays. */
export function useReplay(id: string | undefined) {
  return useQuery<Replay, Problem>({
    queryKey: ['simulator', 'replays', id],
    enabled: id !== undefined,
    queryFn: () => sendJson('GET', `${REPLAYS}/${encodeURIComponent(id ?? '')}`),
    refetchInterval: (query) => (query.state.data?.state === 'playing' ? 700 : false),
  })
}

export interface DifferenceGroup {
  key: string
  place: string
  why: string
  recorded: string
  got: string
  lines: number[]
}

const WHY: Readonly<Record<Difference['why'], string>> = {
  field: 'another value',
  kind: 'an error instead, or another one',
  missing: 'no answer came',
  unrecorded: 'an answer that the recording has not',
  'not readable': 'cannot be read',
}

/** Returns differences that are of one kind as one, the most frequent first. */
export function grouped(differences: readonly Difference[]): DifferenceGroup[] {
  const found = new Map<string, DifferenceGroup>()
  for (const { line, place, why, recorded, got } of differences) {
    const [was, is] = [told(recorded), told(got)]
    const key = JSON.stringify([place, why, was, is])
    const group = found.get(key)
    if (group) group.lines.push(line)
    else found.set(key, { key, place, why: WHY[why] ?? why, recorded: was, got: is, lines: [line] })
  }
  return [...found.values()].sort((a, b) => b.lines.length - a.lines.length)
}

function told(value: unknown): string {
  return value === null || value === undefined ? 'nothing' : JSON.stringify(value)
}

/** Returns calls with how often, in words: `Reset 2, TriggerMessage 1`. */
export function callsIn(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([action, times]) => `${action} ${times}`)
    .join(', ')
}

/** Returns the name under which a station's messages are played unless one says otherwise. */
export function ownIdentity(stationId: string): string {
  return stationId.startsWith('REPLAY-') ? stationId : `REPLAY-${stationId}`
}
