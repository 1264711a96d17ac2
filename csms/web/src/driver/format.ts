/** Numbers, money and times as the driver's language writes them; units are the same in all four. */
export interface Format {
  power(kw: number): string
  /** A rated power: as exact as it is given. */
  rating(kw: number): string
  energy(kwh: number): string
  percent(value: number): string
  money(amount: number, currency: string): string
  price(amount: number, currency: string): string
  time(at: number): string
  duration(ms: number): string
}

const UNBROKEN = '\u00a0'

/** Returns the tag to write numbers and times by: the browser's own of that language, if it has one. */
export function localeOf(language: string, browser: readonly string[]): string {
  const own = browser.find((each) => each.toLowerCase().split('-')[0] === language)
  for (const tag of [own, language, 'en']) {
    try {
      if (tag && Intl.NumberFormat.supportedLocalesOf(tag).length > 0) return tag
    } catch {
      // not a language tag, such as en-US@posix
    }
  }
  return 'en'
}

export function formatOf(locale: string): Format {
  const number = (value: number, decimals: number) =>
    new Intl.NumberFormat(locale, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    }).format(value)
  const currency = (amount: number, code: string, most: number) =>
    new Intl.NumberFormat(locale, {
      style: 'currency',
      currency: code,
      minimumFractionDigits: 2,
      maximumFractionDigits: most,
    }).format(amount)
  const clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' })
  return {
    power: (kw) => `${number(kw, kw < 100 ? 1 : 0)}${UNBROKEN}kW`,
    rating: (kw) => `${new Intl.NumberFormat(locale).format(kw)}${UNBROKEN}kW`,
    energy: (kwh) => `${number(kwh, 2)}${UNBROKEN}kWh`,
    percent: (value) => `${number(value, 0)}${UNBROKEN}%`,
    money: (amount, code) => currency(amount, code, 2),
    price: (amount, code) => currency(amount, code, 4),
    time: (at) => clock.format(at),
    duration,
  }
}

/** Returns a length of time in at most two units: 45 s, 12 min, 1 h 5 min. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}${UNBROKEN}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}${UNBROKEN}min`
  return `${Math.floor(minutes / 60)}${UNBROKEN}h ${minutes % 60}${UNBROKEN}min`
}
