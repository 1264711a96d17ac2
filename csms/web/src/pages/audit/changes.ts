/** What an entry of the audit trail says was changed: the operator's words, before and after. */

import { current, energy, exactTime, NOTHING, power } from '@/parts/format'
import { FLAGS } from '../sessions/words'
import type { Said } from './words'

export interface Change {
  label: string
  /** null: not known, or there was nothing to be before. */
  before: string | null
  after: string
}

type Show = (value: unknown) => string

const watts: Show = (value) => power(Number(value) / 1000)
const seconds: Show = (value) => `${value} s`
const volts: Show = (value) => `${value} V`
const amperes: Show = (value) => current(Number(value))
const register: Show = (value) => `${energy(Number(value) / 1000)} (${value} Wh)`
const flags: Show = (value) =>
  Array.isArray(value) && value.length > 0
    ? value.map((flag) => FLAGS[String(flag)] ?? String(flag)).join(', ')
    : 'nothing odd'

/** Of columns of the store and of fields of the API: its label, and how its value is shown. */
const WORDS: Readonly<Record<string, string | readonly [string, Show]>> = {
  name: 'Name',
  identity: 'Identity',
  max_power_w: ['Most power', watts],
  connector_count: 'Connectors',
  connector_type: 'Connector type',
  site_id: 'Site',
  site: 'Site',
  station: 'Station',
  circuit_id: 'Circuit',
  current_type: 'Current',
  phases: 'Phases',
  voltage_v: ['Voltage', volts],
  phase_rotation: 'Order of phases',
  location: 'Place',
  registration: 'Registration',
  security_profile: 'Security profile',
  pending_security_profile: 'Security profile to come',
  profile_told_at: 'Told of it',
  password: 'Password',
  serial_number: 'Serial number',
  subject_check: "Check of certificates' subjects",
  strict: 'Strict',
  quiet: 'Quiet',
  id_tag: 'Id tag',
  status: 'State',
  expires_at: 'Expires',
  parent_id_tag: 'Group',
  max_active_sessions: 'Sessions at a time',
  role: 'Role',
  disabled: 'Locked out',
  time_zone: 'Time zone',
  grid_limit_w: ['Grid connection', watts],
  grid_phase_limit_da: ['Most current a phase', (value) => amperes(Number(value) / 10)],
  phase_limit_da: ['Most current a phase', (value) => amperes(Number(value) / 10)],
  policy: 'Sharing rule',
  circuits: 'Circuits',
  batteries: 'Batteries',
  chargers: 'Chargers',
  capacity_wh: ['Capacity', (value) => energy(Number(value) / 1000)],
  power_w: ['Power', watts],
  limit_w: ['Limit', watts],
  fallback_a: ['Fallback current', amperes],
  lease_s: ['A limit holds for', seconds],
  building_max_w: ['Most that the building draws', watts],
  daily_writes: 'Limits a day',
  reclaim: 'Gives what cars do not take to others',
  wake_up: 'Wakes cars that sleep',
  steady: 'Keeps limits that are near the fair share',
  starts_at: 'From',
  ends_at: 'Until',
  reason: 'Reason',
  meterStartWh: ['Meter at the start', register],
  meterStopWh: ['Meter at the end', register],
  stoppedAt: 'Ended',
  cost: 'Cost',
  flags: ['Odd about it', flags],
  key: 'Key',
  desired: 'Shall be',
  action: 'Call',
  call: 'Number of the call',
  stations: 'Stations',
  state: 'State',
  version: 'Version',
  entries: 'Entries',
  fields: 'What',
  sha256: 'SHA-256',
  access: 'Drivers',
  plug_first: 'Cable first',
  from: 'From',
  to: 'To',
}

/** Not worth a line: it stands elsewhere in the entry. */
const LEFT_OUT = new Set(['called', 'before', 'after', 'identity', 'id_tag'])
const IN_THE_PHRASE: Readonly<Record<string, readonly string[]>> = {
  call: ['action', 'call'],
  configure: ['key'],
}

/** Returns what an entry says, a line each; what is as it was before is left out. */
export function changesOf({ action, details }: Said): Change[] {
  const before = objectIn(details.before)
  const after = { ...details, ...objectIn(details.after) }
  const said = IN_THE_PHRASE[action] ?? []
  return Object.entries(after).flatMap(([name, value]) => {
    if (LEFT_OUT.has(name) || said.includes(name)) return []
    // what is new has much that nobody has said
    if (action === 'create' && (value === null || value === 'cleared')) return []
    const known = name in before
    if (known && JSON.stringify(before[name]) === JSON.stringify(value)) return []
    return {
      label: labelOf(name),
      before: known ? shown(name, before[name]) : null,
      after: shown(name, value),
    }
  })
}

/** Returns the label of a field; of one that has none, its name as words. */
export function labelOf(name: string): string {
  const words = WORDS[name]
  if (words !== undefined) return typeof words === 'string' ? words : words[0]
  const text = name
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function shown(name: string, value: unknown): string {
  if (value === null || value === '') return 'nothing'
  const words = WORDS[name]
  if (typeof words === 'object') return words[1](value)
  return plain(value)
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/

function plain(value: unknown): string {
  if (value === null || value === undefined) return NOTHING
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return TIME.test(value) ? exactTime(value) : value
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(plain).join(', ')
  if (typeof value !== 'object') return String(value)
  const { id, name, ...rest } = value as Record<string, unknown>
  const called = name ?? id
  const parts = Object.entries(rest)
    .filter(([, each]) => each !== null)
    .map(([field, each]) => `${labelOf(field).toLowerCase()} ${shown(field, each)}`)
  if (called === undefined || called === null) return parts.join(', ')
  return parts.length === 0 ? String(called) : `${called} (${parts.join(', ')})`
}

function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}
