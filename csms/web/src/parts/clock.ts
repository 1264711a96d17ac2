import { useSyncExternalStore } from 'react'

let now = Date.now()
let timer: ReturnType<typeof setInterval> | null = null
const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of listeners) each()
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && timer !== null) {
      clearInterval(timer)
      timer = null
    }
  }
}

function current(): number {
  if (timer === null) now = Date.now()
  return Math.floor(now / 1000) * 1000
}

/** Returns the present second; all who ask are drawn anew together, once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, current)
}
