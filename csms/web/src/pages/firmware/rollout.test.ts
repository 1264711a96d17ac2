import { describe, expect, it } from 'vitest'
import type { LiveStation } from '@/live/types'
import { rowOf } from '../stations/rows'
import { candidates } from './rollout'

function station(id: string, more: Partial<LiveStation> = {}): LiveStation {
  return {
    id,
    name: id,
    siteId: 'depot',
    online: true,
    lastSeenAt: null,
    vendor: 'V',
    model: 'M',
    firmwareVersion: '1.0',
    registration: 'Accepted',
    quiet: false,
    connectors: [],
    ...more,
  }
}

describe('candidates', () => {
  const rows = [
    station('B 10'),
    station('B 9', { firmwareVersion: '2.0' }),
    station('other', { vendor: 'W' }),
    station('far', { siteId: 'harbour' }),
  ].map(rowOf)
  const image = { vendor: 'V', model: null, version: '2.0' }

  it('are those that it fits, by name, with whether they run it', () => {
    const found = candidates(rows, image, { site: 'depot', only: null })
    expect(found.map(({ row, runsIt }) => [row.station.id, runsIt])).toEqual([
      ['B 9', true],
      ['B 10', false],
    ])
  })

  it('are narrowed to those that were chosen', () => {
    const found = candidates(rows, image, { site: null, only: ['far', 'other'] })
    expect(found.map(({ row }) => row.station.id)).toEqual(['far'])
  })

  it('run nothing that is known where the image does not say its version', () => {
    const found = candidates(rows, { ...image, version: null }, { site: null, only: null })
    expect(found.some(({ runsIt }) => runsIt)).toBe(false)
  })
})
