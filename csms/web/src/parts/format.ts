/** Numbers and times as people read them; the unit is always there. `–` stands for what is not known. */

export const NOTHING = '–'

type Maybe = number | null | undefined

function known(value: Maybe): value is number {
  return value !== null && value !== undefined && Number.isFinite(value)
}

function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits)
  // no "-0.0"
  return Number(text) === 0 ? (0).toFixed(digits) : text
}

/** Returns a count with its thousands apart: `10,482`. */
export function count(value: Maybe): string {
  return known(value) ? value.toLocaleString('en-US', { maximumFractionDigits: 0 }) : NOTHING
}

/** Returns a power: `7.4 kW`, `132 kW`, `1.25 MW`. */
export function power(kw: Maybe): string {
  if (!known(kw)) return NOTHING
  const size = Math.abs(kw)
  if (size >= 1000) return `${fixed(kw / 1000, 2)} MW`
  return `${fixed(kw, size >= 100 ? 0 : 1)} kW`
}

/** Returns an energy: `0.84 kWh`, `12.5 kWh`, `2.31 MWh`. */
export function energy(kwh: Maybe): string {
  if (!known(kwh)) return NOTHING
  const size = Math.abs(kwh)
  if (size >= 1000) return `${fixed(kwh / 1000, 2)} MWh`
  return `${fixed(kwh, size >= 100 ? 0 : size >= 10 ? 1 : 2)} kWh`
}

/** Returns a current: `16.0 A`. */
export function current(a: Maybe): string {
  return known(a) ? `${fixed(a, 1)} A` : NOTHING
}

export function percent(value: Maybe): string {
  return known(value) ? `${fixed(value, 0)} %` : NOTHING
}

/** Returns an amount of money: `€ 12.30`; without a currency (mixed ones) nothing. */
export function money(amount: Maybe, currency: string | null | undefined): string {
  if (!known(amount) || !currency) return NOTHING
  try {
    return amount.toLocaleString('en-US', { style: 'currency', currency })
  } catch {
    return `${fixed(amount, 2)} ${currency}`
  }
}

/** Returns the price of a unit, which may have parts of a cent: `€0.3045`. */
export function unitPrice(amount: Maybe, currency: string | null | undefined): string {
  if (!known(amount) || !currency) return NOTHING
  try {
    return amount.toLocaleString('en-US', { style: 'currency', currency, maximumFractionDigits: 4 })
  } catch {
    return `${amount} ${currency}`
  }
}

/** Returns a length of time: `42 s`, `7 min`, `3 h 05 min`, `2 d 4 h`. */
export function duration(seconds: Maybe): string {
  if (!known(seconds)) return NOTHING
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  const minutes = Math.floor(s / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Returns how long ago: `just now`, `40 s ago`, `3 min ago`; a time to come: `in 5 min`. */
export function ago(at: string | number | null | undefined, now: number): string {
  const then = moment(at)
  if (then === null) return NOTHING
  const seconds = (now - then) / 1000
  if (Math.abs(seconds) < 5) return 'just now'
  return seconds > 0 ? `${short(seconds)} ago` : `in ${short(-seconds)}`
}

function short(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** Returns a time to the second with its zone: `2026-11-21 17:05:09 UTC`. */
export function exactTime(at: string | number | null | undefined, timeZone?: string): string {
  return told(at, timeZone, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  })
}

/** Returns a time of today as `17:05`, of another day as `Nov 20, 17:05`. */
export function shortTime(at: string | number | null | undefined, now: number, timeZone?: string): string {
  const then = moment(at)
  if (then === null) return NOTHING
  const sameDay = day(then, timeZone) === day(now, timeZone)
  return told(at, timeZone, sameDay ? {} : { month: 'short', day: 'numeric' })
}

/** Returns the day in a zone: `2026-11-21`. */
export function day(at: number, timeZone?: string): string {
  return new Date(at).toLocaleDateString('sv-SE', zone(timeZone))
}

function told(
  at: string | number | null | undefined,
  timeZone: string | undefined,
  parts: Intl.DateTimeFormatOptions,
): string {
  const then = moment(at)
  if (then === null) return NOTHING
  const options: Intl.DateTimeFormatOptions = {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...parts,
    ...zone(timeZone),
  }
  if (parts.year === undefined) return new Date(then).toLocaleString('en-US', options)
  return new Date(then).toLocaleString('sv-SE', options)
}

function zone(timeZone: string | undefined): Intl.DateTimeFormatOptions {
  return timeZone === undefined ? {} : { timeZone }
}

function moment(at: string | number | null | undefined): number | null {
  if (at === null || at === undefined || at === '') return null
  const then = typeof at === 'number' ? at : Date.parse(at)
  return Number.isNaN(then) ? null : then
}
