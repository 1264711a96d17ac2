import { useEffect, useMemo, useState } from 'react'
import type { Problem } from '@/api/problem'
import { asWeTakeIt, type Draft, draftOf, emptyDraft, type Problems, payloadOf, type Schema } from './schema'

/** A payload while it is made: by fields, or as JSON text. */
export interface Payload {
  action: string
  schema: Schema
  draft: Draft
  setDraft: (draft: Draft) => void
  /** The JSON text; null while the fields are shown. */
  raw: string | null
  setRaw: (raw: string) => void
  /** Shows JSON or fields; false where the JSON holds what there are no fields for. */
  show: (as: 'fields' | 'json') => boolean
  problems: Problems
  /** Returns the payload, or null when something is wrong, which is then shown at the fields. */
  build: () => Record<string, unknown> | null
  /** Shows at the fields what the server says of them; returns what belongs to no field. */
  blame: (problem: Problem) => string | null
}

/** Makes the payload of an action; starts anew with another action or another start. */
export function usePayload(action: string, given: Schema, start?: unknown): Payload {
  const schema = useMemo(() => asWeTakeIt(action, given), [action, given])
  const first = useMemo(() => startOf(schema, start), [schema, start])
  const [draft, setDraft] = useState<Draft>(first.draft)
  const [raw, setRaw] = useState<string | null>(first.raw)
  const [problems, setProblems] = useState<Problems>({})
  useEffect(() => {
    setDraft(first.draft)
    setRaw(first.raw)
    setProblems({})
  }, [first])

  function show(as: 'fields' | 'json'): boolean {
    setProblems({})
    if (as === 'json') {
      if (raw === null) setRaw(JSON.stringify(payloadOf(schema, draft).payload ?? {}, null, 2))
      return true
    }
    if (raw === null) return true
    const parsed = parse(raw)
    const found = parsed === undefined ? null : draftOf(schema, parsed)
    if (found === null) {
      setProblems({ payload: parsed === undefined ? NO_JSON : 'There are no fields for all of this' })
      return false
    }
    setDraft(found)
    setRaw(null)
    return true
  }

  function build(): Record<string, unknown> | null {
    if (raw !== null) {
      const parsed = parse(raw)
      const good = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      setProblems(good ? {} : { payload: NO_JSON })
      return good ? (parsed as Record<string, unknown>) : null
    }
    const made = payloadOf(schema, draft)
    setProblems(made.problems)
    return Object.keys(made.problems).length === 0 ? (made.payload as Record<string, unknown>) : null
  }

  function blame(problem: Problem): string | null {
    const said = Object.entries(problem.fields)
    setProblems(Object.fromEntries(said.map(([path, text]) => [path, capital(text)])))
    return said.length === 0 ? problem.message : null
  }

  return {
    action,
    schema,
    draft,
    setDraft: (next) => {
      setDraft(next)
      setProblems({})
    },
    raw,
    setRaw,
    show,
    problems,
    build,
    blame,
  }
}

const NO_JSON = 'This is no JSON object'

function startOf(schema: Schema, start: unknown): { draft: Draft; raw: string | null } {
  if (start === undefined) return { draft: emptyDraft(schema), raw: null }
  const draft = draftOf(schema, start)
  if (draft !== null) return { draft, raw: null }
  return { draft: emptyDraft(schema), raw: JSON.stringify(start, null, 2) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
