import { describe, expect, it, vi } from 'vitest'
import { KeySequence, type Shortcut } from './keys'

const shortcut = (keys: string): Shortcut => ({ keys, text: keys, act: vi.fn() })
const all = [shortcut('?'), shortcut('g s'), shortcut('g o')]

describe('KeySequence', () => {
  it('knows single keys and pairs', () => {
    const keys = new KeySequence(
      () => all,
      () => 0,
    )
    expect(keys.press('?')?.keys).toBe('?')
    expect(keys.press('g')).toBeNull()
    expect(keys.press('s')?.keys).toBe('g s')
    expect(keys.press('s')).toBeNull()
  })

  it('forgets the first key after a while, and after a wrong one', () => {
    let now = 0
    const keys = new KeySequence(
      () => all,
      () => now,
    )
    keys.press('g')
    now = 2000
    expect(keys.press('s')).toBeNull()
    keys.press('g')
    expect(keys.press('x')).toBeNull()
    expect(keys.press('o')).toBeNull()
  })
})

it('has one letter a page', async () => {
  const { PAGES } = await import('./pages')
  const letters = PAGES.flatMap((page) => (page.nav?.key ? [page.nav.key] : []))
  expect(new Set(letters).size).toBe(letters.length)
  const paths = PAGES.map((page) => page.path)
  expect(new Set(paths).size).toBe(paths.length)
})
