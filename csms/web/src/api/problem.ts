/** A refusal of the server, or a request that never reached it, in words for an operator. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  /** Path of each wrong field (`circuits.0.limitKw`) -> what is wrong with it. */
  readonly fields: Readonly<Record<string, string>>

  constructor(status: number, code: string, text: string, fields: Record<string, string> = {}) {
    super(text)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.fields = fields
  }
}

export const UNREACHABLE = 'unreachable'

/** Returns the problem of a response that is not ok; its body is problem+json, or nothing useful. */
export function problemOf(status: number, body: unknown): Problem {
  const said = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const code = typeof said.code === 'string' ? said.code : `http_${status}`
  const text =
    typeof said.detail === 'string'
      ? said.detail
      : typeof said.title === 'string'
        ? said.title
        : inGeneral(status)
  return new Problem(status, code, text, texts(said.fields ?? said.errors))
}

/** Returns what has gone wrong as a problem, whatever was thrown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof TypeError || (error instanceof DOMException && error.name !== 'AbortError'))
    return new Problem(0, UNREACHABLE, 'The server cannot be reached. Your input is still here; try again.')
  return new Problem(0, 'unknown', error instanceof Error ? error.message : String(error))
}

/**
 * Returns the errors of a form: those of its own fields by name, and one text for all others.
 *
 * `names` maps a path of the API to a field of the form where they differ.
 */
export function formErrors(
  problem: Problem,
  fields: readonly string[],
  names: Readonly<Record<string, string>> = {},
): { fields: Record<string, string>; rest: string | null } {
  const found: Record<string, string> = {}
  const others: string[] = []
  for (const [path, text] of Object.entries(problem.fields)) {
    const name = names[path] ?? path
    if (fields.includes(name)) found[name] = sentence(text)
    else others.push(path === 'body' ? sentence(text) : `${path}: ${text}`)
  }
  const own = Object.keys(found).length > 0
  if (others.length > 0) return { fields: found, rest: others.join('; ') }
  return { fields: found, rest: own ? null : problem.message }
}

function sentence(text: string): string {
  return text === '' ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function texts(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([path, text]) => [path, String(text)]))
}

function inGeneral(status: number): string {
  if (status === 401) return 'You are not signed in (any more).'
  if (status === 403) return 'Your role does not allow this.'
  if (status === 404) return 'There is no such thing (any more).'
  if (status === 429) return 'Too many attempts; wait a minute.'
  if (status >= 500) return 'Something went wrong on the server; its log says what.'
  return `The server refused this (HTTP ${status}).`
}
