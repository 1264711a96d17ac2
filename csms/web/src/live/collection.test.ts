import { describe, expect, it, vi } from 'vitest'
import { Collection, equal } from './collection'

interface Thing {
  id: string
  power: number
  parts: { n: number }[]
}

const thing = (id: string, power = 0): Thing => ({ id, power, parts: [{ n: 1 }] })

describe('Collection', () => {
  it('is not loaded before its snapshot, and is with an empty one', () => {
    const things = new Collection<Thing>()
    expect(things.loaded).toBe(false)
    things.snapshot([])
    expect(things.loaded).toBe(true)
    expect(things.all()).toEqual([])
  })

  it('merges parts by id and leaves the other objects untouched', () => {
    const things = new Collection<Thing>()
    things.snapshot([thing('a'), thing('b')])
    const [, b] = things.all()
    things.change([{ id: 'a', power: 7 } as Thing])
    expect(things.get('a')).toEqual({ ...thing('a'), power: 7 })
    expect(things.get('b')).toBe(b)
  })

  it('adds what is new at the end and takes out what is removed', () => {
    const things = new Collection<Thing>()
    things.snapshot([thing('a'), thing('b')])
    things.change([thing('c')], ['a'])
    expect(things.all().map((item) => item.id)).toEqual(['b', 'c'])
  })

  it('gives the same array and tells nobody while nothing differs', () => {
    const things = new Collection<Thing>()
    things.snapshot([thing('a')])
    const before = things.all()
    const told = vi.fn()
    things.subscribe(told)
    things.change([{ id: 'a', parts: [{ n: 1 }] } as unknown as Thing], ['no such'])
    expect(told).not.toHaveBeenCalled()
    expect(things.all()).toBe(before)
  })

  it('keeps equal objects over a new snapshot, and forgets those that are gone', () => {
    const things = new Collection<Thing>()
    things.snapshot([thing('a'), thing('b')])
    const a = things.get('a')
    things.snapshot([thing('a'), thing('c')])
    expect(things.get('a')).toBe(a)
    expect(things.get('b')).toBeUndefined()
  })

  it('tells those who watch one object of that one alone', () => {
    const things = new Collection<Thing>()
    things.snapshot([thing('a'), thing('b')])
    const told = vi.fn()
    const stop = things.subscribeOne('a', told)
    things.change([{ id: 'b', power: 1 } as Thing])
    expect(told).not.toHaveBeenCalled()
    things.change([{ id: 'a', power: 1 } as Thing])
    things.change([], ['a'])
    expect(told).toHaveBeenCalledTimes(2)
    stop()
    things.change([thing('a')])
    expect(told).toHaveBeenCalledTimes(2)
  })
})

describe('equal', () => {
  it('looks into objects and arrays', () => {
    expect(equal({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true)
    expect(equal({ a: 1 }, { a: 1, b: undefined })).toBe(false)
    expect(equal([1, 2], [1])).toBe(false)
    expect(equal([], {})).toBe(false)
    expect(equal(null, {})).toBe(false)
  })
})
