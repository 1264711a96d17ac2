import type { LiveMessage } from '@/live/types'

/** A frame, with its other half where that is known too. */
export interface Line {
  key: string
  message: LiveMessage
  /** The answer to a call, or the call of an answer. */
  other: LiveMessage | null
}

/** Returns the name under which a call and its answer belong together. */
function exchange(message: LiveMessage): string {
  return `${message.stationId ?? ''}\n${message.messageId}`
}

/**
 * Returns frames as lines, the newest first, each with its other half.
 *
 * Message ids are used again by some stations, so an answer belongs to the last call before it that has none,
 * in the other direction. `messages` are in the order of their time.
 */
export function linesOf(messages: readonly LiveMessage[]): Line[] {
  const lines: Line[] = []
  const open = new Map<string, Line>()
  const seen = new Map<string, number>()
  for (const message of messages) {
    const name = `${message.at} ${message.direction} ${exchange(message)}`
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    const line: Line = { key: `${name} ${times}`, message, other: null }
    lines.push(line)
    if (message.messageId === null) continue
    const id = exchange(message)
    if (message.type === 'call') open.set(id, line)
    else {
      const call = open.get(id)
      if (call !== undefined && call.message.direction !== message.direction) {
        open.delete(id)
        call.other = message
        line.other = call.message
      }
    }
  }
  return lines.reverse()
}

/** Returns what was asked for (the newest first) and what has come live since, each once, in their order. */
export function joined(asked: readonly LiveMessage[], live: readonly LiveMessage[]): LiveMessage[] {
  const name = (message: LiveMessage) => `${message.at} ${message.direction} ${exchange(message)}`
  const known = new Set(live.map(name))
  const missing = [...asked].reverse().filter((message) => !known.has(name(message)))
  // asked for after a cut, they belong between those that came live; equal times stay as they are
  return [...missing, ...live].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}

export interface Filter {
  direction?: string
  text?: string
  repair?: string
}

/** Returns whether a live frame passes what the server does not filter for us. */
export function passes(message: LiveMessage, filter: Filter): boolean {
  if (filter.direction && message.direction !== filter.direction) return false
  if (filter.repair === 'any' && (message.repairs ?? []).length === 0) return false
  if (filter.text && !(message.raw ?? '').toLowerCase().includes(filter.text.toLowerCase())) return false
  return true
}

/** Returns what a frame says in one line: its payload, compact; the raw text of what cannot be read. */
export function gist(message: LiveMessage): string {
  if (message.payload === null || message.payload === undefined) return message.raw ?? ''
  return JSON.stringify(message.payload)
}

/** Returns a payload to be read by people. */
export function pretty(payload: unknown): string {
  return payload === null || payload === undefined ? '' : JSON.stringify(payload, null, 2)
}
