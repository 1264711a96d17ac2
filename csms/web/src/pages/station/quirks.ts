import type { components } from '@/api/schema'

type Message = components['schemas']['MessageOut']

export interface Quirk {
  repair: string
  times: number
  lastAt: string
  actions: string[]
}

/** Returns which repairs frames needed, the most frequent first. */
export function quirksOf(messages: readonly Message[]): Quirk[] {
  const found = new Map<string, Quirk>()
  for (const { repairs, at, action } of messages)
    for (const repair of repairs) {
      const known = found.get(repair) ?? { repair, times: 0, lastAt: at, actions: [] }
      known.times++
      if (at > known.lastAt) known.lastAt = at
      if (action !== null && !known.actions.includes(action)) known.actions.push(action)
      found.set(repair, known)
    }
  return [...found.values()].sort((a, b) => b.times - a.times)
}

/** Returns the name of a repair as words: `message_id_reused` -> `message id reused`. */
export function repairText(name: string): string {
  return name.replaceAll('_', ' ')
}

/** Traits of a vendor's dialect: what each means, and how its value is written. */
export const TRAITS: Readonly<
  Record<string, { label: string; help: string; kind: 'list' | 'number' | 'flag' }>
> = {
  rateUnits: { label: 'Units of limits', help: 'A, W', kind: 'list' },
  maxStackLevel: { label: 'Highest stack level', help: '', kind: 'number' },
  profileKinds: { label: 'Kinds of profiles', help: 'Absolute, Recurring, Relative', kind: 'list' },
  profilePurposes: {
    label: 'Purposes of profiles',
    help: 'ChargePointMaxProfile, TxDefaultProfile, TxProfile',
    kind: 'list',
  },
  allowedA: { label: 'Currents that it takes, A', help: 'such as 0, 6, 10, 16', kind: 'list' },
  callSpacingS: { label: 'Time between calls, s', help: '', kind: 'number' },
  quietAfterBootS: { label: 'Left alone after its boot, s', help: '', kind: 'number' },
  measurandsPerCall: { label: 'Measurands in one call', help: '', kind: 'number' },
  remoteStartNeeded: { label: 'Starts only when it is told to', help: '', kind: 'flag' },
  zeroMeansStop: { label: 'A limit of 0 ends the session', help: '', kind: 'flag' },
}

/** Returns what is typed for a trait as its value: undefined where it is none. */
export function traitValue(name: string, typed: string): unknown {
  const text = typed.trim()
  const kind = TRAITS[name]?.kind
  if (kind === 'flag') return text === 'true' ? true : text === 'false' ? false : undefined
  if (kind === 'number') return text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
  const parts = text.split(/[,;\s]+/).filter(Boolean)
  if (name !== 'allowedA') return parts.length > 0 ? parts : undefined
  const numbers = parts.map(Number)
  return numbers.length > 0 && numbers.every(Number.isFinite) ? numbers : undefined
}

/** Returns a trait's value as it is typed. */
export function traitText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return Array.isArray(value) ? value.join(', ') : String(value)
}
