import type { components } from '@/api/schema'
import type { Tone } from '@/parts/StatusBadge'

type Certificate = Pick<
  components['schemas']['CertificateOut'],
  'revokedAt' | 'inUseAt' | 'expiresAt' | 'validFrom' | 'source' | 'seenAt' | 'certificateType'
>

const DAY_MS = 86_400_000
/** Operators have so long to see to it; the server renews a station's own certificate by itself. */
const SOON_MS = 30 * DAY_MS

const SOURCES: Readonly<Record<string, string>> = {
  listed: 'The station has it',
  installed: 'Installed',
  signed: 'Signed, not used yet',
  shown: 'Shown at a sign-in',
}

export interface CertificateWords {
  tone: Tone
  text: string
  /** When that was. */
  seen?: { words: string; at: string }
}

/** Returns how a certificate stands, what matters most first. */
export function certificateState(certificate: Certificate, now: number): CertificateWords {
  const { revokedAt, inUseAt, expiresAt, validFrom, source, seenAt } = certificate
  if (revokedAt) return { tone: 'bad', text: 'Revoked', seen: { words: 'since', at: revokedAt } }
  const seen = inUseAt ? { words: 'used', at: inUseAt } : seenAt ? { words: 'seen', at: seenAt } : undefined
  const also = seen === undefined ? {} : { seen }
  if (expiresAt !== null && Date.parse(expiresAt) <= now) return { tone: 'bad', text: 'Ended', ...also }
  if (expiresAt !== null && Date.parse(expiresAt) - now < SOON_MS)
    return { tone: 'warning', text: 'Ends soon', ...also }
  if (validFrom !== null && Date.parse(validFrom) > now)
    return { tone: 'plan', text: 'Not valid yet', ...also }
  if (inUseAt) return { tone: 'good', text: 'In use', ...also }
  const words = SOURCES[source] ?? source
  return { tone: source === 'signed' ? 'plan' : 'idle', text: words, ...also }
}
