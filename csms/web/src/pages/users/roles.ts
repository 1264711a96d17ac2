/** Roles in words, and what the forms of users and keys send. */

export const ROLES: readonly { value: string; label: string; about: string }[] = [
  { value: 'viewer', label: 'Viewer', about: 'Sees everything of the operation, changes nothing.' },
  { value: 'operator', label: 'Operator', about: 'Also starts, stops and changes stations, sites and tags.' },
  { value: 'admin', label: 'Administrator', about: 'Also users, API keys, the audit trail and settings.' },
]

export function roleText(role: string): string {
  return ROLES.find(({ value }) => value === role)?.label ?? (role === 'driver' ? 'Driver' : role)
}

export const LEAST_PASSWORD = 10

export interface TypedUser {
  name: string
  role: string
  password: string
  disabled: boolean
}

/** Returns what the API gets of a user, and what is wrong; `before`: only what is different from it. */
export function userOf(
  typed: TypedUser,
  before?: TypedUser,
): { body: Record<string, unknown>; problems: Record<string, string> } {
  const problems: Record<string, string> = {}
  const body: Record<string, unknown> = {}
  const name = typed.name.trim()
  if (name === '') problems.name = 'This is needed'
  if (typed.password !== '' && typed.password.length < LEAST_PASSWORD)
    problems.password = `At least ${LEAST_PASSWORD} characters`
  if (name !== before?.name) body.name = name
  if (typed.role !== before?.role) body.role = typed.role
  if (typed.password !== '') body.password = typed.password
  if (before !== undefined && typed.disabled !== before.disabled) body.disabled = typed.disabled
  return { body, problems }
}

const DAY_MS = 86_400_000

/** Returns when a key ends that is good for some days from now; null: never. */
export function endOf(days: string, now: number): string | null {
  return days === '' ? null : new Date(now + Number(days) * DAY_MS).toISOString()
}

export const LIVES: readonly { value: string; label: string }[] = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'One year' },
  { value: '', label: 'No end' },
]
