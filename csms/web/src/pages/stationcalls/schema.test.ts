import { describe, expect, it } from 'vitest'
import { asWeTakeIt, draftOf, emptyDraft, localTime, payloadOf, resolved, type Schema } from './schema'

const PROFILE: Schema = {
  type: 'object',
  properties: {
    connectorId: { type: 'integer' },
    profile: {
      type: 'object',
      properties: {
        kind: { type: 'string', enum: ['Absolute', 'Relative'] },
        validTo: { type: 'string', format: 'date-time' },
        schedule: {
          type: 'object',
          properties: {
            periods: {
              type: 'array',
              items: {
                type: 'object',
                properties: { startPeriod: { type: 'integer' }, limit: { type: 'number' } },
                required: ['startPeriod', 'limit'],
              },
            },
          },
          required: ['periods'],
        },
      },
      required: ['kind', 'schedule'],
    },
  },
  required: ['connectorId', 'profile'],
}

const KEYS: Schema = {
  type: 'object',
  properties: { key: { type: 'array', items: { type: 'string', maxLength: 5 } } },
}

describe('a form of a schema', () => {
  it('has what is needed and leaves the rest out', () => {
    expect(emptyDraft(PROFILE)).toEqual({
      connectorId: '',
      profile: { kind: '', validTo: '', schedule: { periods: [{ startPeriod: '', limit: '' }] } },
    })
    expect(payloadOf(KEYS, emptyDraft(KEYS))).toEqual({ payload: {}, problems: {} })
  })

  it('says at each field what is wrong, by the names of the server', () => {
    const draft = {
      connectorId: 'one',
      profile: { kind: '', validTo: 'x', schedule: { periods: [{ startPeriod: '1.5', limit: 'a' }] } },
    }
    expect(payloadOf(PROFILE, draft).problems).toEqual({
      connectorId: 'Must be a whole number',
      'profile.kind': 'This is needed',
      'profile.validTo': 'Must be a time',
      'profile.schedule.periods[0].startPeriod': 'Must be a whole number',
      'profile.schedule.periods[0].limit': 'Must be a number',
    })
    expect(payloadOf(KEYS, { key: ['longer'] }).problems).toEqual({
      'key[0]': 'At most 5 characters; these are 6',
    })
  })

  it('goes to a payload and back', () => {
    const payload = {
      connectorId: 0,
      profile: {
        kind: 'Relative',
        validTo: '2026-11-21T18:05:09Z',
        schedule: { periods: [{ startPeriod: 0, limit: 6.5 }] },
      },
    }
    const draft = draftOf(PROFILE, payload)
    expect(draft).not.toBeNull()
    expect(payloadOf(PROFILE, draft as never)).toEqual({ payload, problems: {} })
  })

  it('is not there for a payload that it has no fields for', () => {
    expect(draftOf(KEYS, { key: ['a'], more: 1 })).toBeNull()
    expect(draftOf(KEYS, { key: 'a' })).toBeNull()
    expect(draftOf(KEYS, { key: [1] })).toBeNull()
    expect(draftOf(PROFILE, { connectorId: '1' })).toBeNull()
    expect(draftOf(KEYS, {})).toEqual({ key: [] })
  })

  it('sends an empty value of a configuration key', () => {
    const schema: Schema = {
      type: 'object',
      properties: { key: { type: 'string' }, value: { type: 'string' } },
      required: ['key', 'value'],
    }
    expect(payloadOf(schema, { key: '', value: '' })).toEqual({
      payload: { value: '' },
      problems: { key: 'This is needed' },
    })
  })
})

describe('what the server fills in', () => {
  const LOG: Schema = {
    type: 'object',
    properties: {
      logType: { type: 'string' },
      requestId: { type: 'integer' },
      log: {
        type: 'object',
        properties: { remoteLocation: { type: 'string' } },
        required: ['remoteLocation'],
      },
    },
    required: ['logType', 'requestId', 'log'],
  }

  it('is not asked for', () => {
    const ours = asWeTakeIt('GetLog', LOG)
    expect(payloadOf(ours, emptyDraft(ours)).problems).toEqual({ logType: 'This is needed' })
    expect(payloadOf(ours, { logType: 'x', requestId: '', log: { remoteLocation: '' } }).payload).toEqual({
      logType: 'x',
      log: {},
    })
    expect(asWeTakeIt('Reset', LOG)).toEqual(LOG)
  })

  it('takes an image of ours beside the payload', () => {
    expect(Object.keys(asWeTakeIt('UpdateFirmware', LOG).properties ?? {})[0]).toBe('firmwareId')
  })
})

it('has what references name in their places', () => {
  const schema: Schema = {
    type: 'object',
    definitions: {
      Kind: { type: 'string', enum: ['a', 'b'] },
      Inner: { type: 'object', properties: { kind: { $ref: '#/definitions/Kind' } } },
    },
    properties: { list: { type: 'array', items: { $ref: '#/definitions/Inner' } } },
  }
  expect(resolved(schema)).toEqual({
    type: 'object',
    properties: {
      list: {
        type: 'array',
        items: { type: 'object', properties: { kind: { type: 'string', enum: ['a', 'b'] } } },
      },
    },
  })
})

it('shows times as they are here', () => {
  expect(new Date(localTime('2026-11-21T18:05:09Z')).toISOString()).toBe('2026-11-21T18:05:09.000Z')
  expect(localTime('nonsense')).toBe('')
})
