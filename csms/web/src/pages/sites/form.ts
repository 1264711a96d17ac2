/** A site as it is typed, and as the API takes it. */

import type { components } from '@/api/schema'

export type Site = components['schemas']['SiteOut']

export interface TypedCircuit {
  /** Of the row in the form; the id itself can be typed. */
  key: number
  id: string
  name: string
  parentId: string
  limitKw: string
  limitA: string
}

export interface TypedBattery {
  key: number
  id: string
  capacityKwh: string
  powerKw: string
}

export interface TypedSite {
  id: string
  name: string
  timeZone: string
  gridCapacityKw: string
  gridLimitA: string
  policy: string
  circuits: readonly TypedCircuit[]
  batteries: readonly TypedBattery[]
}

export const FIELDS = ['id', 'name', 'timeZone', 'gridCapacityKw', 'gridLimitA', 'policy'] as const

export const POLICIES = [
  { value: 'fair', label: 'Fair: equal parts, to the watt' },
  { value: 'equal-kw', label: 'Equal: whole kW, phases not looked at' },
]

export function newSite(timeZone: string): TypedSite {
  return {
    id: '',
    name: '',
    timeZone,
    gridCapacityKw: '',
    gridLimitA: '',
    policy: 'fair',
    circuits: [],
    batteries: [],
  }
}

/** Returns a site as its form shows it. */
export function typedOf(site: Site): TypedSite {
  return {
    id: site.id,
    name: site.name,
    timeZone: site.timeZone,
    gridCapacityKw: text(site.gridCapacityKw),
    gridLimitA: text(site.gridLimitA),
    policy: site.policy,
    circuits: site.circuits.map((circuit, key) => ({
      key,
      id: circuit.id,
      name: circuit.name ?? '',
      parentId: circuit.parentId ?? '',
      limitKw: text(circuit.limitKw),
      limitA: text(circuit.limitA),
    })),
    batteries: site.batteries.map((battery, key) => ({
      key,
      id: battery.id,
      capacityKwh: text(battery.capacityKwh),
      powerKw: text(battery.powerKw),
    })),
  }
}

export interface Body {
  body: Record<string, unknown>
  /** What is wrong, by the path of the field: `circuits.0.limitKw`. */
  problems: Record<string, string>
}

/** Returns what the API gets of a form; with `before` only what is different from it. */
export function bodyOf(typed: TypedSite, before?: TypedSite): Body {
  const problems: Record<string, string> = {}
  const body: Record<string, unknown> = {}
  const changed = (name: keyof TypedSite) =>
    before === undefined || JSON.stringify(typed[name]) !== JSON.stringify(before[name])

  if (typed.name.trim() === '') problems.name = 'This is needed'
  if (before === undefined && typed.id.trim() !== '') body.id = typed.id.trim()
  for (const name of ['name', 'timeZone', 'policy'] as const)
    if (changed(name)) body[name] = typed[name].trim()
  if (changed('gridCapacityKw'))
    body.gridCapacityKw = number(typed.gridCapacityKw, 'gridCapacityKw', problems)
  else number(typed.gridCapacityKw, 'gridCapacityKw', problems)
  const amperes = optional(typed.gridLimitA, 'gridLimitA', problems)
  if (changed('gridLimitA') && (amperes !== null || before !== undefined)) body.gridLimitA = amperes

  const circuits = typed.circuits.map((circuit, at) => ({
    id: needed(circuit.id, `circuits.${at}.id`, problems),
    name: circuit.name.trim() === '' ? null : circuit.name.trim(),
    parentId: circuit.parentId === '' ? null : circuit.parentId,
    limitKw: number(circuit.limitKw, `circuits.${at}.limitKw`, problems),
    limitA: optional(circuit.limitA, `circuits.${at}.limitA`, problems),
  }))
  const batteries = typed.batteries.map((battery, at) => ({
    id: needed(battery.id, `batteries.${at}.id`, problems),
    capacityKwh: number(battery.capacityKwh, `batteries.${at}.capacityKwh`, problems),
    powerKw: number(battery.powerKw, `batteries.${at}.powerKw`, problems),
  }))
  if (changed('circuits')) body.circuits = circuits
  if (changed('batteries')) body.batteries = batteries
  return { body, problems }
}

/** Returns the part of a change that bears on how power is shared, as what-if takes it; null: none. */
export function supposedOf({ body, problems }: Body): Record<string, unknown> | null {
  if (Object.keys(problems).length > 0) return null
  const names = ['gridCapacityKw', 'gridLimitA', 'circuits', 'policy'] as const
  const found = Object.fromEntries(names.flatMap((name) => (name in body ? [[name, body[name]]] : [])))
  return Object.keys(found).length === 0 ? null : found
}

/** Returns the number of a text, of which the field says what is wrong with it. */
export function number(typed: string, path: string, problems: Record<string, string>): number {
  const clean = typed.trim().replace(',', '.')
  const value = Number(clean)
  if (clean === '') problems[path] = 'This is needed'
  else if (!Number.isFinite(value)) problems[path] = 'Must be a number'
  else if (value < 0) problems[path] = 'Must not be negative'
  return value
}

/** As `number`, null where nothing is typed. */
export function optional(typed: string, path: string, problems: Record<string, string>): number | null {
  return typed.trim() === '' ? null : number(typed, path, problems)
}

function needed(typed: string, path: string, problems: Record<string, string>): string {
  if (typed.trim() === '') problems[path] = 'This is needed'
  return typed.trim()
}

function text(value: number | null): string {
  return value === null ? '' : String(value)
}

/** Returns an instant of a field of date and time (in the browser's zone) as the API takes it; null: none. */
export function instantOf(local: string): string | null {
  const at = new Date(local)
  return local === '' || Number.isNaN(at.getTime()) ? null : at.toISOString()
}
