import { afterEach, describe, expect, it, vi } from 'vitest'
import en from '../../../api/driver_languages/en.json'
import { ask, overtaken } from './asking'
import type { View } from './types'

const answers = (body: unknown, init?: ResponseInit) =>
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(body), init)))

afterEach(() => vi.unstubAllGlobals())

describe('ask', () => {
  it('gives the state of an answer', async () => {
    answers({ state: 'free' })
    expect(await ask('/c/A/1/start', {})).toEqual({ view: { state: 'free' } })
  })
  it('is not believed when the live state has overtaken it, unless the clock was set', () => {
    const at = (time: string) => ({ at: `2026-03-01T${time}Z` }) as View
    expect(overtaken(at('10:00:00.100'), null)).toBe(false)
    expect(overtaken(at('10:00:00.200'), at('10:00:00.100'))).toBe(false)
    expect(overtaken(at('10:00:00.100'), at('10:00:00.200'))).toBe(true)
    expect(overtaken(at('10:00:00'), at('11:00:00'))).toBe(false)
  })
  it.each(['in_use', 'not_plugged_in', 'tag_refused', 'already_charging', 'cookie_needed', 'no_session'])(
    'has words for %s',
    async (code) => {
      answers({ code }, { status: 409 })
      const answer = await ask('/c/A/1/start', {})
      expect(answer).toEqual({ failure: { key: `error.${code}` }, code })
      expect(en).toHaveProperty([`error.${code}`])
    },
  )
  it('tells how long to wait', async () => {
    answers({ code: 'too_many' }, { status: 429, headers: { 'Retry-After': '17' } })
    expect(await ask('/c/A/1/start', {})).toMatchObject({
      failure: { key: 'error.too_many', values: { seconds: '17' } },
    })
  })
  it('has a sentence for what it does not know, and for what is no JSON', async () => {
    answers({ code: 'toString' }, { status: 500 })
    expect(await ask('/', {})).toMatchObject({ failure: { key: 'error.other' } })
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502 })))
    expect(await ask('/', {})).toMatchObject({ failure: { key: 'error.other' } })
  })
  it('knows whether anything was sent when the line is cut', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('cut')))
    expect(await ask('/', {})).toMatchObject({ failure: { key: 'error.unsure' } })
    vi.stubGlobal('navigator', { onLine: false })
    expect(await ask('/', {})).toMatchObject({ failure: { key: 'error.network' } })
  })
})
