import type { View } from './types'

export interface Listener {
  state(view: View): void
  stale(): void
  gone(): void
  lost(): void
}

/** What an EventSource does for us; tests bring their own. */
export interface Source {
  readonly readyState: number
  onerror: ((event: Event) => void) | null
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void
  close(): void
}

const CLOSED = 2
const PATIENCE_MS = 3_000
const SILENCE_MS = 30_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
const WAKE_AFTER_MS = 12_000
const LOOK_EVERY_MS = 5_000

type Timer = ReturnType<typeof setTimeout>

/**
 * Follows the page's state and comes back by itself after each cut. The server tells the whole state each
 * time, and something every ten seconds at least: longer silence is a dead line, whatever the socket says.
 */
export class LiveLink {
  private source: Source | null = null
  private heardAt = 0
  private pause = FIRST_PAUSE_MS
  private ended = false
  private readonly timers: Record<'lost' | 'silence' | 'again' | 'look', Timer | undefined> = {
    lost: undefined,
    silence: undefined,
    again: undefined,
    look: undefined,
  }

  constructor(
    private readonly connect: () => Source,
    private readonly look: () => Promise<View | null>,
    private readonly listener: Listener,
  ) {}

  open(): void {
    this.drop()
    if (this.ended) return
    const source = this.connect()
    this.source = source
    const on = (name: string, act: (event: MessageEvent<string>) => void) =>
      source.addEventListener(name, (event) => {
        if (source !== this.source) return
        this.heard()
        act(event)
      })
    on('state', (event) => this.listener.state(JSON.parse(event.data) as View))
    on('stale', () => this.listener.stale())
    on('pulse', () => {})
    on('gone', () => {
      this.ended = true
      this.drop()
      this.after('lost', 0)
      this.after('look', 0)
      this.listener.gone()
    })
    source.onerror = () => {
      if (source !== this.source) return
      if (this.timers.lost === undefined) this.after('lost', PATIENCE_MS, () => this.lose())
      // a refused one (too many, the server is starting) is not tried again by the browser
      if (source.readyState === CLOSED) this.again()
    }
    this.expect()
  }

  /** Comes back at once where the line has been silent: the phone was asleep, or is online again. */
  wake(): void {
    if (!this.ended && Date.now() - this.heardAt > WAKE_AFTER_MS) this.open()
  }

  private heard(): void {
    this.heardAt = Date.now()
    this.pause = FIRST_PAUSE_MS
    this.after('lost', 0)
    this.after('look', 0)
    this.expect()
  }

  private expect(): void {
    this.after('silence', SILENCE_MS, () => {
      this.lose()
      this.again()
    })
  }

  /** Says that the line is cut, and asks now and then: some networks let streams through, but late. */
  private lose(): void {
    if (this.timers.look !== undefined) return
    this.listener.lost()
    const ask = () => {
      const asked = Date.now()
      this.after('look', LOOK_EVERY_MS, ask)
      void this.look().then((view) => {
        if (this.heardAt >= asked || this.ended) return
        if (view === null) this.listener.lost()
        else this.listener.state(view)
      })
    }
    this.after('look', LOOK_EVERY_MS, ask)
  }

  private again(): void {
    const pause = this.pause
    this.pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
    this.drop()
    this.after('again', pause, () => this.open())
  }

  /** Sets the one timer of a kind, or without an act none. */
  private after(kind: keyof typeof this.timers, ms: number, act?: () => void): void {
    clearTimeout(this.timers[kind])
    this.timers[kind] =
      act &&
      setTimeout(() => {
        this.timers[kind] = undefined
        act()
      }, ms)
  }

  private drop(): void {
    this.after('silence', 0)
    this.after('again', 0)
    this.source?.close()
    this.source = null
  }
}
