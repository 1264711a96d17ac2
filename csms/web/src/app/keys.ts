import { useEffect } from 'react'

export interface Shortcut {
  /** One key (`?`), or two after each other (`g s`). */
  keys: string
  text: string
  act: () => void
}

const PAUSE_MS = 1200

/** Returns what a key means after the keys before it; keys in fields and with modifiers mean nothing. */
export class KeySequence {
  #first: { key: string; at: number } | null = null
  readonly #shortcuts: () => readonly Shortcut[]
  readonly #now: () => number

  constructor(shortcuts: () => readonly Shortcut[], now: () => number = () => performance.now()) {
    this.#shortcuts = shortcuts
    this.#now = now
  }

  press(key: string): Shortcut | null {
    const now = this.#now()
    const before = this.#first !== null && now - this.#first.at <= PAUSE_MS ? this.#first.key : null
    this.#first = null
    const all = this.#shortcuts()
    const pair = before === null ? undefined : all.find((shortcut) => shortcut.keys === `${before} ${key}`)
    if (pair) return pair
    const single = all.find((shortcut) => shortcut.keys === key)
    if (single) return single
    if (all.some((shortcut) => shortcut.keys.startsWith(`${key} `))) this.#first = { key, at: now }
    return null
  }
}

/** Makes the shortcuts work while mounted; not while somebody types. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    const sequence = new KeySequence(() => shortcuts)
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      const target = event.target as HTMLElement | null
      if (target?.closest('input, textarea, select, [contenteditable="true"], [role="dialog"]')) return
      const found = sequence.press(event.key)
      if (found === null) return
      event.preventDefault()
      found.act()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [shortcuts])
}
