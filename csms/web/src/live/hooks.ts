import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { tellSignedOut } from '@/api/client'
import type { Collection } from './collection'
import { type LinkState, LiveLink, type MessageBatch } from './link'
import type {
  LiveAttention,
  LiveMessage,
  LiveSession,
  LiveSite,
  LiveStation,
  LiveToday,
  MessageFilter,
  Topic,
  Topics,
} from './types'
import { TOPICS } from './types'

async function serverAnswers(): Promise<boolean> {
  try {
    await fetch('/health', { signal: AbortSignal.timeout(5000) })
    return true
  } catch {
    return false
  }
}

async function findOutWhetherSignedIn(): Promise<void> {
  try {
    const answer = await fetch('/api/sites?limit=1', { signal: AbortSignal.timeout(5000) })
    if (answer.status === 401) tellSignedOut()
  } catch {
    // the server is away; the link tries again
  }
}

/** The cockpit's live link; pages use the hooks below. */
export const live = new LiveLink({
  url: () => {
    const address = new URL('/ws/live', window.location.href)
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
    address.searchParams.set('topics', TOPICS.join(','))
    return address.href
  },
  alive: serverAnswers,
  refused: findOutWhetherSignedIn,
})

/** Keeps the link open while mounted; the browser's word that the network is back is taken at once. */
export function useLiveLink(): void {
  useEffect(() => {
    const hurry = () => live.hurry()
    const seen = () => document.visibilityState === 'visible' && live.hurry()
    const cut = () => live.cut()
    live.start()
    window.addEventListener('online', hurry)
    window.addEventListener('offline', cut)
    document.addEventListener('visibilitychange', seen)
    return () => {
      window.removeEventListener('online', hurry)
      window.removeEventListener('offline', cut)
      document.removeEventListener('visibilitychange', seen)
      live.stop()
    }
  }, [])
}

/** Returns how the link is: `connecting`, `live` or `lost` (with since when and the next try). */
export function useLink(): LinkState {
  return useSyncExternalStore(live.subscribe, () => live.state)
}

function useAll<T extends Topic>(topic: T): readonly Topics[T][] {
  const collection = live.topics[topic] as unknown as Collection<Topics[T]>
  return useSyncExternalStore(collection.subscribe, () => collection.all())
}

function useOne<T extends Topic>(topic: T, id: string | null | undefined): Topics[T] | undefined {
  const collection = live.topics[topic] as unknown as Collection<Topics[T]>
  const subscribe = useCallback(
    (listener: () => void) => (id ? collection.subscribeOne(id, listener) : () => {}),
    [collection, id],
  )
  return useSyncExternalStore(subscribe, () => (id ? collection.get(id) : undefined))
}

/** Returns whether the topic's snapshot has come: before that an empty list means nothing. */
export function useLoaded(topic: Topic): boolean {
  const collection = live.topics[topic]
  return useSyncExternalStore(collection.subscribe, () => collection.loaded)
}

export const useStations = (): readonly LiveStation[] => useAll('stations')
export const useStation = (id: string | null | undefined) => useOne('stations', id)
export const useSessions = (): readonly LiveSession[] => useAll('sessions')
export const useSession = (id: string | null | undefined) => useOne('sessions', id)
export const useSites = (): readonly LiveSite[] => useAll('sites')
export const useSite = (id: string | null | undefined) => useOne('sites', id)
export const useAttention = (): readonly LiveAttention[] => useAll('attention')
export const useToday = (): readonly LiveToday[] => useAll('today')

const MOST_MESSAGES = 2000

export interface Tail {
  /** The newest last. */
  messages: readonly LiveMessage[]
  dropped: number
  /** How often following has begun, as the server says: after a cut it begins anew. */
  begun: number
  clear: () => void
}

/**
 * Follows the OCPP messages that pass the filter, the newest 2,000 of them.
 *
 * A null filter follows nothing: what has come stays (a pause).
 */
export function useMessages(filter: MessageFilter | null): Tail {
  const [tail, setTail] = useState<MessageBatch>({ messages: [], dropped: 0 })
  const [begun, setBegun] = useState(0)
  const clear = useCallback(() => setTail({ messages: [], dropped: 0 }), [])
  const following = filter !== null
  const stationId = filter?.stationId
  const action = filter?.action
  const shown = useRef('')
  useEffect(() => {
    if (!following) return
    const key = JSON.stringify([stationId, action])
    if (shown.current !== key) clear()
    shown.current = key
    const wanted: MessageFilter = {}
    if (stationId) wanted.stationId = stationId
    if (action) wanted.action = action
    return live.follow(wanted, (batch) => {
      // an empty one says: from now on
      if (batch.messages.length === 0) setBegun((before) => before + 1)
      else
        setTail((before) => ({
          messages: [...before.messages, ...batch.messages].slice(-MOST_MESSAGES),
          dropped: before.dropped + batch.dropped,
        }))
    })
  }, [following, stationId, action, clear])
  return { ...tail, begun, clear }
}
