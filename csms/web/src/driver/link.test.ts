import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveLink, type Source } from './link'
import type { View } from './types'

class FakeSource implements Source {
  readyState = 0
  onerror: ((event: Event) => void) | null = null
  closed = false
  private listeners: Record<string, (event: MessageEvent<string>) => void> = {}
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void) {
    this.listeners[name] = listener
  }
  close() {
    this.closed = true
    this.readyState = 2
  }
  tell(name: string, data: object = {}) {
    this.listeners[name]?.(new MessageEvent(name, { data: JSON.stringify(data) }))
  }
  fail(readyState: number) {
    this.readyState = readyState
    this.onerror?.(new Event('error'))
  }
}

let sources: FakeSource[]
let told: string[]
let link: LiveLink
let looked: View | null
const last = () => sources[sources.length - 1] as FakeSource

beforeEach(() => {
  vi.useFakeTimers()
  sources = []
  told = []
  looked = null
  link = new LiveLink(
    () => {
      sources.push(new FakeSource())
      return last()
    },
    () => Promise.resolve(looked),
    {
      state: (view) => told.push(`state ${view.state}`),
      stale: () => told.push('stale'),
      gone: () => told.push('gone'),
      lost: () => told.push('lost'),
    },
  )
  link.open()
})
afterEach(() => vi.useRealTimers())

describe('the live link', () => {
  it('tells states as they come', () => {
    last().tell('state', { state: 'free' })
    last().tell('pulse')
    last().tell('stale')
    expect(told).toEqual(['state free', 'stale'])
  })
  it('says nothing of a cut that heals at once', () => {
    last().tell('state', { state: 'free' })
    last().fail(0)
    vi.advanceTimersByTime(2_000)
    last().tell('state', { state: 'inUse' })
    vi.advanceTimersByTime(20_000)
    expect(told).toEqual(['state free', 'state inUse'])
  })
  it('says that it is lost after some seconds', () => {
    last().fail(0)
    vi.advanceTimersByTime(3_000)
    expect(told).toEqual(['lost'])
  })
  it('comes back by itself where the browser gives up, later and later', () => {
    for (const pause of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      last().fail(2)
      const before = sources.length
      vi.advanceTimersByTime(pause - 1)
      expect(sources.length).toBe(before)
      vi.advanceTimersByTime(1)
      expect(sources.length).toBe(before + 1)
    }
    expect(told[0]).toBe('lost')
    last().tell('state', { state: 'free' })
    last().fail(2)
    vi.advanceTimersByTime(1_000)
    expect(last().closed).toBe(false)
  })
  it('holds a silent line for dead', () => {
    last().tell('state', { state: 'free' })
    vi.advanceTimersByTime(30_000)
    expect(told).toEqual(['state free', 'lost'])
    vi.advanceTimersByTime(1_000)
    expect(sources.length).toBe(2)
    expect(sources[0]?.closed).toBe(true)
  })
  it('asks now and then while the stream does not come through', async () => {
    last().tell('state', { state: 'free' })
    last().fail(0)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(told).toEqual(['state free', 'lost'])
    looked = { state: 'inUse' } as View
    await vi.advanceTimersByTimeAsync(5_000)
    expect(told).toEqual(['state free', 'lost', 'state inUse'])
    looked = null
    await vi.advanceTimersByTimeAsync(5_000)
    expect(told).toEqual(['state free', 'lost', 'state inUse', 'lost'])
    last().tell('state', { state: 'free' })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(told.slice(4)).toEqual(['state free'])
  })
  it('wakes with the phone, and only where it has slept', () => {
    last().tell('state', { state: 'free' })
    link.wake()
    expect(sources.length).toBe(1)
    vi.advanceTimersByTime(13_000)
    link.wake()
    expect(sources.length).toBe(2)
  })
  it('ends where there is no page any more', () => {
    last().tell('gone')
    link.wake()
    vi.advanceTimersByTime(120_000)
    expect(told).toEqual(['gone'])
    expect(sources.length).toBe(1)
  })
})
