import { describe, expect, it } from 'vitest'
import { asProblem, formErrors, Problem, problemOf, UNREACHABLE } from './problem'

describe('problemOf', () => {
  it('takes code, words and fields from problem+json', () => {
    const problem = problemOf(422, {
      title: 'Unprocessable',
      code: 'invalid_request',
      detail: 'Some fields are wrong.',
      fields: { maxKw: 'must be positive' },
    })
    expect(problem.code).toBe('invalid_request')
    expect(problem.message).toBe('Some fields are wrong.')
    expect(problem.fields).toEqual({ maxKw: 'must be positive' })
  })

  it('has words for an answer without any', () => {
    expect(problemOf(502, '<html>').message).toMatch(/server/)
    expect(problemOf(418, null).code).toBe('http_418')
  })
})

describe('asProblem', () => {
  it('knows a server that is away', () => {
    expect(asProblem(new TypeError('Failed to fetch')).code).toBe(UNREACHABLE)
  })

  it('leaves a problem as it is', () => {
    const problem = new Problem(409, 'busy', 'Busy.')
    expect(asProblem(problem)).toBe(problem)
  })
})

describe('formErrors', () => {
  const problem = new Problem(422, 'invalid_request', 'Some fields are wrong.', {
    maxKw: 'must be positive',
    'location.lat': 'is too large',
  })

  it('puts each error at its field and tells the rest', () => {
    expect(formErrors(problem, ['maxKw'])).toEqual({
      fields: { maxKw: 'Must be positive' },
      rest: 'location.lat: is too large',
    })
  })

  it('knows fields by another name', () => {
    expect(formErrors(problem, ['maxKw', 'lat'], { 'location.lat': 'lat' }).rest).toBeNull()
  })

  it('tells the whole when no field is named', () => {
    expect(formErrors(new Problem(409, 'taken', 'It exists.'), ['name'])).toEqual({
      fields: {},
      rest: 'It exists.',
    })
  })
})
