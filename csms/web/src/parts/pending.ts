import { useCallback, useEffect, useRef, useState } from 'react'
import { asProblem, type Problem } from '@/api/problem'

/**
 * `sending`: the server has not answered. `waiting`: it has, and the charger has not done it yet.
 * `unconfirmed`: the charger has said yes and nothing has been seen of it for a while.
 */
export type Phase = 'idle' | 'sending' | 'waiting' | 'unconfirmed'

interface PendingOptions {
  /** Whether the live state shows that it is done. */
  done: boolean
  timeoutS?: number
  onProblem?: (problem: Problem) => void
}

export interface Pending {
  phase: Phase
  problem: Problem | null
  run: (action: () => Promise<unknown>) => Promise<void>
}

/** Follows an action until the live state shows that it has really happened. */
export function usePending({ done, timeoutS = 60, onProblem }: PendingOptions): Pending {
  const [phase, setPhase] = useState<Phase>('idle')
  const [problem, setProblem] = useState<Problem | null>(null)
  const mounted = useRef(true)
  useEffect(() => {
    mounted.current = true
    return () => {
      mounted.current = false
    }
  }, [])

  useEffect(() => {
    if (done && (phase === 'waiting' || phase === 'unconfirmed')) setPhase('idle')
  }, [done, phase])

  useEffect(() => {
    if (phase !== 'waiting') return
    const timer = setTimeout(() => setPhase('unconfirmed'), timeoutS * 1000)
    return () => clearTimeout(timer)
  }, [phase, timeoutS])

  const run = useCallback(
    async (action: () => Promise<unknown>) => {
      setPhase('sending')
      setProblem(null)
      try {
        await action()
        if (mounted.current) setPhase('waiting')
      } catch (error) {
        const found = asProblem(error)
        if (mounted.current) {
          setPhase('idle')
          setProblem(found)
        }
        onProblem?.(found)
      }
    },
    [onProblem],
  )
  return { phase, problem, run }
}
