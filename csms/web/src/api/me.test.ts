import { describe, expect, it } from 'vitest'
import { includes } from './me'

describe('includes', () => {
  it('lets a stronger role do what a weaker one may, and not the other way', () => {
    expect(includes('admin', 'operator')).toBe(true)
    expect(includes('operator', 'operator')).toBe(true)
    expect(includes('viewer', 'operator')).toBe(false)
  })

  it('keeps drivers apart', () => {
    expect(includes('driver', 'viewer')).toBe(false)
    expect(includes('operator', 'driver')).toBe(false)
    expect(includes('admin', 'driver')).toBe(true)
  })
})
