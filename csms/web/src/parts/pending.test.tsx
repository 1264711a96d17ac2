import { act, useState } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import { type Pending, usePending } from './pending'

let root: Root
let seen: Pending
let setDone: (done: boolean) => void

function Probe() {
  const [done, set] = useState(false)
  setDone = set
  seen = usePending({ done, timeoutS: 10 })
  return null
}

beforeEach(async () => {
  vi.useFakeTimers()
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  root = createRoot(document.createElement('div'))
  await act(async () => root.render(<Probe />))
})

afterEach(async () => {
  await act(async () => root.unmount())
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('usePending', () => {
  it('waits until the live state shows it, however the server has answered', async () => {
    let answer = () => {}
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    await act(async () => {
      void seen.run(() => asked)
    })
    expect(seen.phase).toBe('sending')
    await act(async () => answer())
    expect(seen.phase).toBe('waiting')
    await act(async () => setDone(true))
    expect(seen.phase).toBe('idle')
  })

  it('says so when nothing is seen of it, and is done when it comes late', async () => {
    await act(() => seen.run(async () => {}))
    await act(async () => {
      vi.advanceTimersByTime(10_000)
    })
    expect(seen.phase).toBe('unconfirmed')
    await act(async () => setDone(true))
    expect(seen.phase).toBe('idle')
  })

  it('is free again after a refusal, and tells it', async () => {
    await act(() =>
      seen.run(async () => {
        throw new Problem(409, 'station_offline', 'The station is offline.')
      }),
    )
    expect(seen.phase).toBe('idle')
    expect(seen.problem?.message).toBe('The station is offline.')
  })
})
