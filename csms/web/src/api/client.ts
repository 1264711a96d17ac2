import createClient, { type Middleware } from 'openapi-fetch'
import { asProblem, problemOf } from './problem'
import type { paths } from './schema'

const READING = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Returns the token that writes have to show; the server has put it into a cookie for us. */
export function csrfToken(cookies: string = document.cookie): string {
  const found = cookies.split('; ').find((cookie) => cookie.startsWith('csms_csrf='))
  return found === undefined ? '' : decodeURIComponent(found.slice('csms_csrf='.length))
}

const signedOut = new Set<() => void>()

/** Calls back when the server no longer knows us; returns how to stop that. */
export function onSignedOut(listener: () => void): () => void {
  signedOut.add(listener)
  return () => {
    signedOut.delete(listener)
  }
}

export function tellSignedOut(): void {
  for (const listener of signedOut) listener()
}

const session: Middleware = {
  onRequest({ request }) {
    if (!READING.has(request.method)) request.headers.set('X-CSRF-Token', csrfToken())
    return request
  },
  onResponse({ response }) {
    if (response.status === 401) tellSignedOut()
  },
}

/** The operator API, typed by its own document: `await ok(api.GET('/api/stations/{stationId}', ...))`. */
export const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })
api.use(session)

// lists are there as CSV too, which is a text; the typed client asks for JSON
type Body<T> = [Exclude<NonNullable<T>, string>] extends [never]
  ? NonNullable<T>
  : Exclude<NonNullable<T>, string>

/**
 * Returns the body of an answer.
 *
 * Throws a `Problem` when the server refuses or cannot be reached.
 */
export async function ok<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<Body<T>> {
  let answer: Awaited<typeof asked>
  try {
    answer = await asked
  } catch (error) {
    throw asProblem(error)
  }
  if (!answer.response.ok) throw problemOf(answer.response.status, answer.error)
  return answer.data as Body<T>
}

/** Sends what the typed client does not know (files, CSV, free JSON); throws as `ok` does. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  if (!READING.has(init.method ?? 'GET')) headers.set('X-CSRF-Token', csrfToken())
  let response: Response
  try {
    response = await fetch(path, { ...init, headers, credentials: 'same-origin' })
  } catch (error) {
    throw asProblem(error)
  }
  if (response.ok) return response
  if (response.status === 401) tellSignedOut()
  throw problemOf(response.status, await response.json().catch(() => null))
}

/** As `send`, with JSON both ways. */
export async function sendJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'Content-Type': 'application/json' }
  }
  const response = await send(path, init)
  return (response.status === 204 ? undefined : await response.json()) as T
}
