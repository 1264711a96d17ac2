import { describe, expect, it } from 'vitest'
import { csv, Heading, inGroups, sorted } from './rows'

describe('sorted', () => {
  it('sorts numbers as numbers and texts as people count', () => {
    expect(sorted([10, 9, 100], (n) => n, false)).toEqual([9, 10, 100])
    expect(sorted(['CP-10', 'cp-9', 'CP-100'], (s) => s, false)).toEqual(['cp-9', 'CP-10', 'CP-100'])
  })

  it('puts what has no value last, in either direction', () => {
    const rows = [null, 2, undefined, 1]
    expect(sorted(rows, (n) => n, false)).toEqual([1, 2, null, undefined])
    expect(sorted(rows, (n) => n, true)).toEqual([2, 1, null, undefined])
  })

  it('leaves equal rows as they were, and the rows given untouched', () => {
    const rows = [
      { n: 1, id: 'a' },
      { n: 1, id: 'b' },
      { n: 0, id: 'c' },
    ]
    expect(sorted(rows, (row) => row.n, true).map((row) => row.id)).toEqual(['a', 'b', 'c'])
    expect(rows.map((row) => row.id)).toEqual(['a', 'b', 'c'])
  })
})

describe('csv', () => {
  it('quotes what needs it and runs nothing', () => {
    expect(
      csv(
        ['a', 'b'],
        [
          ['x "y"', 1],
          ['=1+1', null],
          ['two\nlines', -5],
        ],
      ),
    ).toBe('a,b\r\n"x ""y""",1\r\n\'=1+1,\r\n"two\nlines",-5')
  })
})

describe('inGroups', () => {
  it('puts a heading above each group, the nameless one last', () => {
    const rows = ['b1', 'x', 'a2', 'a10']
    const found = inGroups(rows, (row) => (row === 'x' ? '' : row.charAt(0)))
    expect(
      found.map((line) => (line instanceof Heading ? `# ${line.name} ${line.rows.length}` : line)),
    ).toEqual(['# a 2', 'a2', 'a10', '# b 1', 'b1', '#  1', 'x'])
  })
})
