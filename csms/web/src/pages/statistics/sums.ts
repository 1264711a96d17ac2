/** Sums over ended sessions: by day, week or month, by station and by site. */

import type { components } from '@/api/schema'

export type SumRow = components['schemas']['SumOut']

export interface Sum {
  id: string
  sessions: number
  energyKwh: number
  /** By currency: amounts of several are never added. */
  revenue: ReadonlyMap<string, number>
}

export type Step = 'day' | 'week' | 'month'

/** Returns sums in the order of their first rows: one of each key, with its amounts by currency. */
export function sumsOf(rows: readonly SumRow[]): Sum[] {
  const found = new Map<string, { sessions: number; energyKwh: number; revenue: Map<string, number> }>()
  for (const row of rows) {
    let sum = found.get(row.key)
    if (sum === undefined) {
      sum = { sessions: 0, energyKwh: 0, revenue: new Map() }
      found.set(row.key, sum)
    }
    sum.sessions += row.sessions
    sum.energyKwh += row.energyKwh
    sum.revenue.set(row.currency, (sum.revenue.get(row.currency) ?? 0) + row.revenue)
  }
  return [...found].map(([id, sum]) => ({ id, ...sum }))
}

/** Returns all rows as one sum. */
export function wholeOf(rows: readonly SumRow[]): Sum {
  return sumsOf(rows.map((row) => ({ ...row, key: '' })))[0] ?? NOTHING_YET
}

export const NOTHING_YET: Sum = { id: '', sessions: 0, energyKwh: 0, revenue: new Map() }

const DAY_MS = 86_400_000

/** Returns the first day of the step that a day is in; weeks begin on Monday. */
export function startOf(date: string, step: Step): string {
  if (step === 'day') return date
  if (step === 'month') return `${date.slice(0, 8)}01`
  const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7
  return plus(date, -weekday)
}

/** Returns a day so many days later. */
export function plus(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** Returns the first days of all steps from one day to another, both in; those without sessions too. */
export function stepsOf(from: string, to: string, step: Step): string[] {
  const found: string[] = []
  let at = startOf(from, step)
  while (at <= to) {
    found.push(at)
    at = step === 'month' ? startOf(plus(at, 31), 'month') : plus(at, step === 'week' ? 7 : 1)
  }
  return found
}

/** Returns a step that leaves a chart readable. */
export function fittingStep(from: string, to: string): Step {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS
  return days <= 100 ? 'day' : days <= 400 ? 'week' : 'month'
}

export interface Period {
  from: string
  to: string
}

/** Returns the last so many days with today. */
export function lastDays(days: number, today: string): Period {
  return { from: plus(today, 1 - days), to: today }
}

/** Returns what is wrong with a period; null: nothing. */
export function wrongWith({ from, to }: Period): string | null {
  if (!isDay(from) || !isDay(to)) return 'Say both days.'
  if (from > to) return 'Must not be before the first day.'
  if (Date.parse(to) - Date.parse(from) > 3660 * DAY_MS) return 'At most ten years.'
  return null
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
}

/** Returns sums as CSV; texts that a spreadsheet would take for a formula get a quote before them. */
export function csvOf(what: string, sums: readonly Sum[]): string {
  const lines = sums.flatMap((sum) =>
    [...(sum.revenue.size === 0 ? new Map([['', 0]]) : sum.revenue)].map(([currency, revenue], at) => [
      sum.id,
      // sessions and energy are of all currencies together: they stand in the first line only
      at === 0 ? String(sum.sessions) : '',
      at === 0 ? sum.energyKwh.toFixed(3) : '',
      revenue.toFixed(2),
      currency,
    ]),
  )
  return [[what, 'sessions', 'energyKwh', 'revenue', 'currency'], ...lines]
    .map((line) => `${line.map(cell).join(',')}\r\n`)
    .join('')
}

function cell(text: string): string {
  const safe = /^\s*[=+\-@]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
