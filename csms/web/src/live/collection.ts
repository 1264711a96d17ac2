export interface Keyed {
  readonly id: string
}

type Listener = () => void

/**
 * The objects of one topic: a snapshot, then changes that are merged into it by id.
 *
 * Objects are replaced, never changed in place, and only when something is different; `all()` gives
 * the very same array until then. So what shows an object is drawn again only when it has changed.
 */
export class Collection<T extends Keyed> {
  #items = new Map<string, T>()
  #list: readonly T[] = []
  #stale = false
  #loaded = false
  #listeners = new Set<Listener>()
  #oneListeners = new Map<string, Set<Listener>>()

  /** Whether a snapshot has come. */
  get loaded(): boolean {
    return this.#loaded
  }

  get size(): number {
    return this.#items.size
  }

  get(id: string): T | undefined {
    return this.#items.get(id)
  }

  /** Returns all objects in the order of the server. */
  all(): readonly T[] {
    if (this.#stale) {
      this.#list = [...this.#items.values()]
      this.#stale = false
    }
    return this.#list
  }

  /** Takes the place of all that was known; objects that are equal to those before stay the same. */
  snapshot(items: readonly T[]): void {
    const before = this.#items
    this.#items = new Map(
      items.map((item) => {
        const known = before.get(item.id)
        return [item.id, known !== undefined && equal(known, item) ? known : item]
      }),
    )
    this.#loaded = true
    const touched = new Set<string>()
    for (const [id, item] of this.#items) if (before.get(id) !== item) touched.add(id)
    for (const id of before.keys()) if (!this.#items.has(id)) touched.add(id)
    this.#changed(touched, true)
  }

  /** Merges parts of objects by id, then takes some out. */
  change(parts: readonly Keyed[], removed: readonly string[] = []): void {
    const touched = new Set<string>()
    for (const part of parts) {
      const known = this.#items.get(part.id)
      if (known === undefined) this.#items.set(part.id, part as T)
      else if (differs(known, part)) this.#items.set(part.id, { ...known, ...part })
      else continue
      touched.add(part.id)
    }
    for (const id of removed) if (this.#items.delete(id)) touched.add(id)
    this.#changed(touched, false)
  }

  /** Calls back after each change; returns how to stop that. */
  subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Calls back when this one object has changed, come or gone. */
  subscribeOne(id: string, listener: Listener): () => void {
    const listeners = this.#oneListeners.get(id) ?? new Set()
    listeners.add(listener)
    this.#oneListeners.set(id, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#oneListeners.delete(id)
    }
  }

  #changed(touched: ReadonlySet<string>, always: boolean): void {
    if (touched.size === 0 && !always) return
    this.#stale = true
    for (const listener of [...this.#listeners]) listener()
    for (const [id, listeners] of [...this.#oneListeners]) {
      if (touched.has(id) || always) for (const listener of [...listeners]) listener()
    }
  }
}

function differs(known: Keyed, part: Keyed): boolean {
  const before = known as unknown as Record<string, unknown>
  return Object.entries(part).some(([name, value]) => !equal(before[name], value))
}

/** Returns whether two values of JSON are equal. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = Object.entries(a)
  const right = b as Record<string, unknown>
  return left.length === Object.keys(right).length && left.every(([name, value]) => equal(value, right[name]))
}
