import type { Tone } from '@/parts/StatusBadge'

/** What has become of a message, in words. */
export interface Verdict {
  tone: Tone
  text: string
  detail?: string
}

interface Told {
  verdict: 'taken' | 'refused' | 'dropped'
  code: string | null
  text: string | null
}

/** Returns what decoding says of a message, in words. */
export function verdictOf({ verdict, code, text }: Told): Verdict {
  const detail = text === null ? {} : { detail: text }
  if (verdict === 'taken') return { tone: 'good', text: 'Taken' }
  if (verdict === 'dropped') return { tone: 'warning', text: 'Dropped without an answer', ...detail }
  return { tone: 'bad', text: code === null ? 'Of no use' : `Refused: ${code}`, ...detail }
}
