/** JSON schemas of OCPP payloads as forms: what is typed, and what is sent of it. */

export interface Schema {
  type?: string
  enum?: readonly string[]
  format?: string
  maxLength?: number
  properties?: Readonly<Record<string, Schema>>
  required?: readonly string[]
  items?: Schema
  $ref?: string
  definitions?: Readonly<Record<string, Schema>>
}

/** What stands in a form: texts as typed, lists, groups of fields; null: a group that is left out. */
export type Draft = string | null | Draft[] | { [name: string]: Draft }

export type Problems = Record<string, string>

/** Returns a schema with what its references name in their places; those of OCPP are not recursive. */
export function resolved(schema: Schema, definitions = schema.definitions ?? {}): Schema {
  if (schema.$ref !== undefined) {
    const target = definitions[schema.$ref.replace('#/definitions/', '')]
    return target === undefined ? {} : resolved(target, definitions)
  }
  const { definitions: _, ...own } = schema
  if (own.items) own.items = resolved(own.items, definitions)
  if (own.properties)
    own.properties = Object.fromEntries(
      Object.entries(own.properties).map(([name, part]) => [name, resolved(part, definitions)]),
    )
  return own
}

/** Returns how a list or group is entered: `csChargingProfiles.stackLevel`, `key[0]`, as the server says it. */
export function within(path: string, part: string | number): string {
  if (typeof part === 'number') return `${path}[${part}]`
  return path === '' ? part : `${path}.${part}`
}

/** Returns the form of a schema with nothing typed in it yet. */
export function emptyDraft(schema: Schema, required = true): Draft {
  if (schema.type === 'object' && schema.properties) {
    if (!required) return null
    return Object.fromEntries(
      Object.entries(schema.properties).map(([name, part]) => [
        name,
        emptyDraft(part, schema.required?.includes(name) ?? false),
      ]),
    )
  }
  if (schema.type === 'array') return required && schema.items ? [emptyDraft(schema.items)] : []
  return schema.enum?.length === 1 && required ? (schema.enum[0] as string) : ''
}

/** Returns the form of a payload; null where it holds something that the form has no field for. */
export function draftOf(schema: Schema, value: unknown, required = true): Draft | null {
  if (value === undefined) return emptyDraft(schema, required)
  if (schema.type === 'object' && schema.properties) {
    if (!isGroup(value)) return null
    if (Object.keys(value).some((name) => !(name in (schema.properties ?? {})))) return null
    const found: { [name: string]: Draft } = {}
    for (const [name, part] of Object.entries(schema.properties)) {
      const needed = schema.required?.includes(name) ?? false
      const draft = draftOf(part, value[name], needed)
      if (draft === null && value[name] !== undefined) return null
      found[name] = value[name] === undefined && part.type === 'array' ? [] : draft
    }
    return found
  }
  if (schema.type === 'array') {
    if (!Array.isArray(value) || schema.items === undefined) return null
    const items = value.map((item) => draftOf(schema.items as Schema, item))
    return items.some((item) => item === null) ? null : (items as Draft[])
  }
  if (typeof value === 'string')
    return schema.format === 'date-time' ? localTime(value) : plain(schema) === 'text' ? value : null
  if (typeof value === 'number' && plain(schema) === 'number') return String(value)
  if (typeof value === 'boolean' && schema.type === 'boolean') return String(value)
  return null
}

/** Returns what is sent of a form, and what is wrong with it, by path; what was left empty is left out. */
export function payloadOf(schema: Schema, draft: Draft): { payload: unknown; problems: Problems } {
  const problems: Problems = {}
  return { payload: valueIn(schema, draft, '', true, problems), problems }
}

function valueIn(schema: Schema, draft: Draft, path: string, required: boolean, problems: Problems): unknown {
  if (draft === null) return undefined
  if (Array.isArray(draft)) {
    if (draft.length === 0 && !required) return undefined
    return draft.map((item, index) => {
      const value = valueIn(schema.items ?? {}, item, within(path, index), true, problems)
      return value === undefined ? null : value
    })
  }
  if (typeof draft === 'object') {
    const found: Record<string, unknown> = {}
    for (const [name, part] of Object.entries(schema.properties ?? {})) {
      const needed = schema.required?.includes(name) ?? false
      const value = valueIn(part, draft[name] ?? '', within(path, name), needed, problems)
      if (value !== undefined) found[name] = value
    }
    return found
  }
  return scalarOf(schema, draft, path, required, problems)
}

function scalarOf(schema: Schema, typed: string, path: string, required: boolean, problems: Problems) {
  // an empty value clears a configuration key
  if (typed === '' && required && /(^|\.)value$/.test(path)) return ''
  if (typed.trim() === '' && !(schema.type === 'string' && typed !== '')) {
    if (required) problems[path] = 'This is needed'
    return undefined
  }
  if (schema.type === 'integer') {
    if (/^\s*[-+]?\d{1,15}\s*$/.test(typed)) return Number(typed)
    problems[path] = 'Must be a whole number'
  } else if (schema.type === 'number') {
    const number = Number(typed.replace(',', '.'))
    if (Number.isFinite(number)) return number
    problems[path] = 'Must be a number'
  } else if (schema.type === 'boolean') {
    return typed === 'true'
  } else if (schema.format === 'date-time') {
    const at = new Date(typed)
    if (!Number.isNaN(at.getTime())) return `${at.toISOString().slice(0, 19)}Z`
    problems[path] = 'Must be a time'
  } else {
    const most = schema.maxLength
    if (most === undefined || typed.length <= most) return typed
    problems[path] = `At most ${most} characters; these are ${typed.length}`
  }
  return undefined
}

/** Returns a time as a field for local times holds it: `2026-11-21T18:05:00`. */
export function localTime(at: string): string {
  const then = new Date(at)
  if (Number.isNaN(then.getTime())) return ''
  const local = new Date(then.getTime() - then.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19)
}

function plain(schema: Schema): 'text' | 'number' | 'other' {
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  return schema.type === 'string' || schema.type === undefined ? 'text' : 'other'
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What the server fills in where nothing is given: files of ours, and numbers of requests. */
const FILLED: Readonly<Record<string, readonly string[]>> = {
  GetDiagnostics: ['location'],
  GetLog: ['requestId', 'log.remoteLocation'],
  UpdateFirmware: ['location', 'retrieveDate'],
  SignedUpdateFirmware: [
    'requestId',
    'firmware.location',
    'firmware.retrieveDateTime',
    'firmware.signingCertificate',
    'firmware.signature',
  ],
}

/** Returns the schema with what our server takes beside it: an image of ours, fields that it fills in. */
export function asWeTakeIt(action: string, schema: Schema): Schema {
  const filled = FILLED[action]
  const whole = resolved(schema)
  if (filled === undefined) return whole
  const loose = loosened(whole, filled, '')
  if (!action.includes('UpdateFirmware')) return loose
  return { ...loose, properties: { firmwareId: { type: 'string' }, ...loose.properties } }
}

function loosened(schema: Schema, filled: readonly string[], path: string): Schema {
  if (schema.properties === undefined) return schema
  const parts = Object.entries(schema.properties).map(([name, part]) => [
    name,
    loosened(part, filled, within(path, name)),
  ])
  return {
    ...schema,
    properties: Object.fromEntries(parts) as Record<string, Schema>,
    required: (schema.required ?? []).filter((name) => !filled.includes(within(path, name))),
  }
}
