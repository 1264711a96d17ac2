import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { api } from '@/api/client'
import { live } from '@/live/hooks'
import type { LiveSession } from '@/live/types'
import { type Session, useSession } from './data'

const RUNNING = { id: '7', status: 'active', powerKw: 11 } as LiveSession

let root: Root
let shown: Session | undefined
let answers: ((session: object) => void)[]

function Probe() {
  shown = useSession('7').session
  return null
}

async function answered(session: object): Promise<void> {
  await act(async () => {
    for (const answer of answers.splice(0)) answer(session)
    await new Promise((resolve) => setTimeout(resolve, 20))
  })
}

beforeEach(async () => {
  answers = []
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.spyOn(api, 'GET').mockImplementation(
    () =>
      new Promise((resolve) => {
        answers.push((data) => resolve({ data, response: Response.json(data) }))
      }) as never,
  )
  live.topics.sessions.snapshot([RUNNING])
  root = createRoot(document.createElement('div'))
  await act(async () =>
    root.render(
      <QueryClientProvider client={new QueryClient()}>
        <Probe />
      </QueryClientProvider>,
    ),
  )
})

afterEach(async () => {
  await act(async () => root.unmount())
  live.topics.sessions.snapshot([])
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

it('shows a session that has ended as ended, however late its last word is answered', async () => {
  await answered({ id: '7', status: 'active', stopReason: null })
  expect(shown).toMatchObject({ status: 'active', powerKw: 11 })
  await act(async () => live.topics.sessions.change([{ id: '7', status: 'completed' } as LiveSession]))
  expect(shown?.status).toBe('completed')
  await act(async () => live.topics.sessions.change([], ['7']))
  expect(shown?.status).toBe('completed')
  await answered({ id: '7', status: 'completed', stopReason: 'Remote' })
  expect(shown).toMatchObject({ status: 'completed', stopReason: 'Remote' })
})
