import type { Failure, View } from './types'

const PATIENCE_MS = 60_000
const LOOK_MS = 10_000
const KNOWN = new Set([
  'in_use',
  'reserved',
  'not_plugged_in',
  'out_of_order',
  'tag_needed',
  'tag_refused',
  'already_charging',
  'cookie_needed',
  'no_session',
  'not_offered',
])

export type Answer = { view: View } | { failure: Failure; code: string }

/** Asks the server for something; an answer in words whatever happens. */
export async function ask(path: string, body: object): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
  } catch {
    // offline nothing has left; else nobody knows, and the live state will tell
    const key = navigator.onLine === false ? 'error.network' : 'error.unsure'
    return { failure: { key }, code: 'network' }
  }
  try {
    const content = await response.json()
    if (response.ok) return { view: content as View }
    return failed(response, String(content.code))
  } catch {
    return failed(response, '')
  }
}

const OVERTAKEN_MS = 60_000

/**
 * Returns whether the live state has overtaken an answer: it is told once, so its word stays.
 *
 * By more than a minute nothing is overtaken, but the server's clock was set.
 */
export function overtaken(answer: View, shown: View | null): boolean {
  if (shown === null) return false
  const late = Date.parse(shown.at) - Date.parse(answer.at)
  return late > 0 && late < OVERTAKEN_MS
}

/** Returns the present state; null where it cannot be had. */
export async function look(path: string): Promise<View | null> {
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(LOOK_MS) })
    return response.ok ? ((await response.json()) as View) : null
  } catch {
    return null
  }
}

function failed(response: Response, code: string): Answer {
  if (response.status === 429) {
    const seconds = response.headers.get('Retry-After') ?? '60'
    return { failure: { key: 'error.too_many', values: { seconds } }, code: 'too_many' }
  }
  return { failure: { key: KNOWN.has(code) ? `error.${code}` : 'error.other' }, code }
}
