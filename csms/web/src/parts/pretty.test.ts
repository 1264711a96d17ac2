import { expect, it } from 'vitest'
import { pretty } from './pretty'

it('a frame stands in lines, nonsense as it came', () => {
  expect(pretty('[2,"1","X",{}]').split('\n')).toHaveLength(6)
  expect(pretty('[2,"1",')).toBe('[2,"1",')
})
