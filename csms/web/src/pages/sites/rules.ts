import type { SiteRules } from './data'
import { number, optional } from './form'

/** The rules of a site as they are typed. */
export interface TypedRules {
  fallbackA: string
  leaseMinutes: string
  buildingMaxKw: string
  dailyWrites: string
  reclaim: boolean
  wakeUp: boolean
  steady: boolean
}

export const RULE_FIELDS = [
  'fallbackA',
  'leaseMinutes',
  'buildingMaxKw',
  'dailyWrites',
  'reclaim',
  'wakeUp',
  'steady',
] as const

export function typedRules(rules: SiteRules): TypedRules {
  return {
    fallbackA: rules.fallbackA === null ? '' : String(rules.fallbackA),
    leaseMinutes: String(rules.leaseS / 60),
    buildingMaxKw: String(rules.buildingMaxKw),
    dailyWrites: String(rules.dailyWrites),
    reclaim: rules.reclaim,
    wakeUp: rules.wakeUp,
    steady: rules.steady,
  }
}

/** Returns what is different from the rules that hold, as the API takes it, and what is wrong. */
export function rulesBody(
  typed: TypedRules,
  before: TypedRules,
): { body: Record<string, unknown>; problems: Record<string, string> } {
  const problems: Record<string, string> = {}
  const values: [keyof TypedRules, string, unknown][] = [
    ['fallbackA', 'fallbackA', optional(typed.fallbackA, 'fallbackA', problems)],
    ['leaseMinutes', 'leaseS', Math.round(number(typed.leaseMinutes, 'leaseMinutes', problems) * 60)],
    ['buildingMaxKw', 'buildingMaxKw', number(typed.buildingMaxKw, 'buildingMaxKw', problems)],
    ['dailyWrites', 'dailyWrites', number(typed.dailyWrites, 'dailyWrites', problems)],
    ['reclaim', 'reclaim', typed.reclaim],
    ['wakeUp', 'wakeUp', typed.wakeUp],
    ['steady', 'steady', typed.steady],
  ]
  const body = Object.fromEntries(
    values.flatMap(([field, name, value]) => (typed[field] === before[field] ? [] : [[name, value]])),
  )
  return { body, problems }
}
