import { Collection } from './collection'
import type { Frame, LiveMessage, MessageFilter, Topic, Topics } from './types'
import { TOPICS } from './types'

export type LinkState =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live' }
  | { readonly phase: 'lost'; readonly since: number; readonly retryAt: number | null }

export interface LinkOptions {
  url: () => string
  open?: (url: string) => WebSocket
  now?: () => number
  random?: () => number
  /** Says whether the server answers; asked after a long silence. False: the link is cut. */
  alive?: () => Promise<boolean>
  /** Called when a connection was refused, to find out whether we are still signed in. */
  refused?: () => void
}

export interface MessageBatch {
  messages: readonly LiveMessage[]
  /** How many the server has left out since the last batch, because there were too many. */
  dropped: number
}

type MessageListener = (batch: MessageBatch) => void

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 10_000
const SILENCE_MS = 20_000
const PATIENCE_MS = 3_000
const OPENING = 0
const OPEN = 1
const TRY_AGAIN_LATER = 1013

/**
 * The one socket of the cockpit: keeps the collections up to date and comes back after a cut.
 *
 * While the link is lost the collections keep the last known state; whoever shows it says so.
 */
export class LiveLink {
  readonly topics: { readonly [T in Topic]: Collection<Topics[T]> } = {
    stations: new Collection(),
    sessions: new Collection(),
    sites: new Collection(),
    attention: new Collection(),
    today: new Collection(),
  }

  #options: Required<LinkOptions>
  #socket: WebSocket | null = null
  #state: LinkState = { phase: 'connecting' }
  #listeners = new Set<() => void>()
  #retry: ReturnType<typeof setTimeout> | null = null
  #watch: ReturnType<typeof setTimeout> | null = null
  #failures = 0
  #triedAt = 0
  /** Whether this socket was asked after a silence and has not answered yet. */
  #probed = false
  #wanted = false
  #messages: { filter: MessageFilter; listener: MessageListener } | null = null

  constructor(options: LinkOptions) {
    this.#options = {
      open: (url) => new WebSocket(url),
      now: () => Date.now(),
      random: () => Math.random(),
      alive: async () => true,
      refused: () => {},
      ...options,
    }
  }

  get state(): LinkState {
    return this.#state
  }

  /** Calls back when the state of the link changes. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  start(): void {
    this.#wanted = true
    if (this.#socket === null && this.#retry === null) this.#connect()
  }

  /** Closes the link for good; `start` opens it again. */
  stop(): void {
    this.#wanted = false
    this.#clearTimers()
    const socket = this.#socket
    this.#socket = null
    socket?.close()
    this.#failures = 0
    this.#become({ phase: 'connecting' })
  }

  /** Tries at once when the link is lost: the network is back, or somebody has asked for it. */
  hurry(): void {
    if (!this.#wanted) return
    if (this.#retry !== null) {
      clearTimeout(this.#retry)
      this.#retry = null
      this.#connect()
    } else if (this.#socket?.readyState === OPENING && this.#options.now() - this.#triedAt > PATIENCE_MS) {
      // the try that is under way began while the network was away: it may hang for minutes
      const hanging = this.#socket
      this.#connect()
      hanging.close()
    }
  }

  /** Cuts the link now, as a browser that has gone offline would only much later. */
  cut(): void {
    const socket = this.#socket
    if (socket === null) return
    this.#gone(socket, false)
    socket.close()
  }

  /**
   * Follows the messages of charge points; one filter at a time, the newest follower wins.
   *
   * Returns how to stop following.
   */
  follow(filter: MessageFilter, listener: MessageListener): () => void {
    const follower = { filter, listener }
    this.#messages = follower
    this.#say({ subscribe: { topic: 'messages', ...filter } })
    return () => {
      if (this.#messages !== follower) return
      this.#messages = null
      this.#say({ unsubscribe: 'messages' })
    }
  }

  #connect(): void {
    const socket = this.#options.open(this.#options.url())
    this.#socket = socket
    this.#triedAt = this.#options.now()
    this.#probed = false
    this.#listen()
    let opened = false
    socket.onopen = () => {
      opened = true
      if (this.#messages !== null) this.#say({ subscribe: { topic: 'messages', ...this.#messages.filter } })
      this.#listen()
    }
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return
      this.#probed = false
      this.#listen()
      this.#take(JSON.parse(String(event.data)) as Frame)
    }
    socket.onclose = (event) => {
      if (this.#socket !== socket) return
      if (!opened) this.#options.refused()
      this.#gone(socket, event.code === TRY_AGAIN_LATER)
    }
  }

  #gone(socket: WebSocket, soon: boolean): void {
    if (this.#socket !== socket) return
    this.#socket = null
    this.#clearTimers()
    if (!this.#wanted) return
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures)
    const wait = soon ? FIRST_RETRY_MS : longest * (0.5 + this.#options.random() / 2)
    this.#failures += 1
    const now = this.#options.now()
    const since = this.#state.phase === 'lost' ? this.#state.since : now
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.#connect()
    }, wait)
    this.#become({ phase: 'lost', since, retryAt: now + wait })
  }

  /** Takes a frame in; of an unknown topic it is nothing to us. */
  #take(frame: Frame): void {
    if (frame.topic === 'messages') {
      this.#messages?.listener({ messages: frame.data, dropped: frame.dropped ?? 0 })
      return
    }
    const topic = this.topics[frame.topic] as Collection<{ id: string }> | undefined
    if (topic === undefined) return
    if (frame.event === 'snapshot') topic.snapshot(frame.data)
    else topic.change(frame.data, frame.removed)
    this.#failures = 0
    // what was shown while the link was lost is right again once every topic has come anew
    if (frame.event === 'snapshot') this.#fresh.add(frame.topic)
    if (this.#state.phase !== 'live' && TOPICS.every((name) => this.#fresh.has(name)))
      this.#become({ phase: 'live' })
  }

  #fresh = new Set<Topic>()

  /**
   * Asks after a silence whether anybody is there: a cut cable closes no socket.
   *
   * That the server answers elsewhere says nothing of this socket: it is asked itself too, for something
   * small, unless a large answer may still be on its way over a slow line.
   */
  #listen(): void {
    if (this.#watch !== null) clearTimeout(this.#watch)
    this.#watch = setTimeout(async () => {
      const socket = this.#socket
      const alive = await this.#options.alive()
      if (this.#socket !== socket || socket === null) return
      if (!alive || this.#probed || socket.readyState !== OPEN) {
        this.cut()
        return
      }
      this.#listen()
      if (this.#state.phase !== 'live') return
      this.#probed = true
      this.#say({ subscribe: { topic: 'today' } })
    }, SILENCE_MS)
  }

  #say(words: object): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(words))
  }

  #clearTimers(): void {
    for (const timer of [this.#retry, this.#watch]) if (timer !== null) clearTimeout(timer)
    this.#retry = null
    this.#watch = null
    this.#fresh.clear()
  }

  #become(state: LinkState): void {
    if (state.phase === this.#state.phase && state.phase !== 'lost') return
    this.#state = state
    for (const listener of [...this.#listeners]) listener()
  }
}
