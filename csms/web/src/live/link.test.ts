import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveLink } from './link'
import { TOPICS } from './types'

class FakeSocket {
  static all: FakeSocket[] = []
  static get newest(): FakeSocket {
    const socket = FakeSocket.all.at(-1)
    if (socket === undefined) throw new Error('nothing has been opened')
    return socket
  }

  readyState = 0
  sent: unknown[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null

  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.readyState = 3
  }

  opens(): void {
    this.readyState = 1
    this.onopen?.()
  }

  says(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }

  saysAll(): void {
    for (const topic of TOPICS) this.says({ topic, event: 'snapshot', data: [] })
  }

  breaks(code = 1006): void {
    this.readyState = 3
    this.onclose?.({ code })
  }
}

let alive = true
const refused = vi.fn()

function link(): LiveLink {
  const made = new LiveLink({
    url: () => 'ws://here/ws/live',
    open: (url) => new FakeSocket(url) as unknown as WebSocket,
    random: () => 1,
    alive: async () => alive,
    refused,
  })
  made.start()
  return made
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
  alive = true
  refused.mockClear()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('LiveLink', () => {
  it('is live once every topic has sent its snapshot', () => {
    const made = link()
    FakeSocket.newest.opens()
    expect(made.state.phase).toBe('connecting')
    for (const topic of TOPICS.slice(1)) FakeSocket.newest.says({ topic, event: 'snapshot', data: [] })
    expect(made.state.phase).toBe('connecting')
    FakeSocket.newest.says({ topic: TOPICS[0], event: 'snapshot', data: [] })
    expect(made.state.phase).toBe('live')
  })

  it('merges changes and takes out what is removed', () => {
    const made = link()
    FakeSocket.newest.opens()
    FakeSocket.newest.saysAll()
    FakeSocket.newest.says({ topic: 'stations', event: 'changed', data: [{ id: 'A', online: true }] })
    FakeSocket.newest.says({ topic: 'stations', event: 'changed', data: [{ id: 'A', online: false }] })
    expect(made.topics.stations.get('A')?.online).toBe(false)
    FakeSocket.newest.says({ topic: 'stations', event: 'changed', data: [], removed: ['A'] })
    expect(made.topics.stations.get('A')).toBeUndefined()
  })

  it('keeps the last known state while it is lost, and says since when', () => {
    vi.setSystemTime(1_000_000)
    const made = link()
    FakeSocket.newest.opens()
    FakeSocket.newest.saysAll()
    FakeSocket.newest.says({ topic: 'stations', event: 'changed', data: [{ id: 'A' }] })
    FakeSocket.newest.breaks()
    expect(made.state).toEqual({ phase: 'lost', since: 1_000_000, retryAt: 1_000_500 })
    expect(made.topics.stations.size).toBe(1)
  })

  it('waits longer each time, at most ten seconds, and is as fresh as new after a success', () => {
    const made = link()
    for (const wait of [500, 1000, 2000, 4000, 8000, 10_000, 10_000]) {
      const before = FakeSocket.all.length
      FakeSocket.newest.breaks()
      vi.advanceTimersByTime(wait - 1)
      expect(FakeSocket.all.length).toBe(before)
      vi.advanceTimersByTime(1)
      expect(FakeSocket.all.length).toBe(before + 1)
    }
    FakeSocket.newest.opens()
    FakeSocket.newest.saysAll()
    expect(made.state.phase).toBe('live')
    FakeSocket.newest.breaks()
    vi.advanceTimersByTime(500)
    expect(FakeSocket.newest.readyState).toBe(0)
  })

  it('heals with new snapshots, which end what has gone meanwhile', () => {
    const made = link()
    FakeSocket.newest.opens()
    FakeSocket.newest.saysAll()
    FakeSocket.newest.says({ topic: 'sessions', event: 'changed', data: [{ id: '1' }] })
    FakeSocket.newest.breaks()
    vi.advanceTimersByTime(500)
    FakeSocket.newest.opens()
    expect(made.state.phase).toBe('lost')
    FakeSocket.newest.saysAll()
    expect(made.state.phase).toBe('live')
    expect(made.topics.sessions.size).toBe(0)
  })

  it('comes back at once when the network does', () => {
    const made = link()
    FakeSocket.newest.breaks()
    made.hurry()
    expect(FakeSocket.all.length).toBe(2)
    vi.advanceTimersByTime(20_000)
    expect(FakeSocket.all.length).toBe(2)
  })

  it('finds out after a silence that nobody is there any more', async () => {
    const made = link()
    FakeSocket.newest.opens()
    FakeSocket.newest.saysAll()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(made.state.phase).toBe('live')
    FakeSocket.newest.says({ topic: 'today', event: 'snapshot', data: [] })
    alive = false
    await vi.advanceTimersByTimeAsync(20_000)
    expect(made.state.phase).toBe('lost')
  })

  it('asks the socket itself after a silence: the server may be there and this line dead', async () => {
    const made = link()
    FakeSocket.newest.opens()
    FakeSocket.newest.saysAll()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(FakeSocket.newest.sent).toEqual([{ subscribe: { topic: 'today' } }])
    FakeSocket.newest.says({ topic: 'today', event: 'snapshot', data: [] })
    await vi.advanceTimersByTimeAsync(39_000)
    expect(made.state.phase).toBe('live')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(made.state.phase).toBe('lost')
  })

  it('waits for a large first answer as long as the server is there', async () => {
    const made = link()
    FakeSocket.newest.opens()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(made.state.phase).toBe('connecting')
    expect(FakeSocket.all.length).toBe(1)
  })

  it('gives a try up that hangs', async () => {
    const made = link()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(made.state.phase).toBe('lost')
    await vi.advanceTimersByTimeAsync(500)
    expect(FakeSocket.all.length).toBe(2)
    made.hurry()
    expect(FakeSocket.all.length).toBe(2)
    await vi.advanceTimersByTimeAsync(4_000)
    made.hurry()
    expect(FakeSocket.all.length).toBe(3)
    FakeSocket.newest.opens()
    FakeSocket.newest.saysAll()
    expect(made.state.phase).toBe('live')
  })

  it('asks whether we are signed in when it is refused, not when it is cut', () => {
    link()
    FakeSocket.newest.breaks()
    expect(refused).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(500)
    FakeSocket.newest.opens()
    FakeSocket.newest.breaks()
    expect(refused).toHaveBeenCalledTimes(1)
  })

  it('follows messages, again after a cut, and no longer when nobody does', () => {
    const made = link()
    const seen: unknown[] = []
    const stop = made.follow({ stationId: 'A' }, (batch) => seen.push(batch))
    FakeSocket.newest.opens()
    expect(FakeSocket.newest.sent).toEqual([{ subscribe: { topic: 'messages', stationId: 'A' } }])
    FakeSocket.newest.says({
      topic: 'messages',
      event: 'appended',
      data: [{ action: 'Heartbeat' }],
      dropped: 3,
    })
    expect(seen).toEqual([{ messages: [{ action: 'Heartbeat' }], dropped: 3 }])
    FakeSocket.newest.breaks()
    vi.advanceTimersByTime(500)
    FakeSocket.newest.opens()
    expect(FakeSocket.newest.sent).toHaveLength(1)
    stop()
    expect(FakeSocket.newest.sent.at(-1)).toEqual({ unsubscribe: 'messages' })
    FakeSocket.newest.says({ topic: 'messages', event: 'appended', data: [{}] })
    expect(seen).toHaveLength(1)
  })

  it('stops for good', () => {
    const made = link()
    FakeSocket.newest.opens()
    made.stop()
    FakeSocket.newest.breaks()
    vi.advanceTimersByTime(60_000)
    expect(FakeSocket.all.length).toBe(1)
  })
})
