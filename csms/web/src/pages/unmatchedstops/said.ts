import { energy } from '@/parts/format'

/** What a StopTransaction said of its session, in the order in which people look for it. */
export function said(payload: { [key: string]: unknown }): string {
  const { transactionId, meterStop, idTag, reason } = payload
  const parts = [`Number ${transactionId}`]
  if (typeof meterStop === 'number') parts.push(`meter at ${energy(meterStop / 1000)}`)
  if (idTag) parts.push(`id tag ${idTag}`)
  if (reason) parts.push(String(reason))
  return parts.join(', ')
}
