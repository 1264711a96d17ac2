import { describe, expect, it } from 'vitest'
import { changesOf as changesOfEntry, labelOf } from './changes'

const changesOf = (details: Record<string, unknown>, action = 'change') =>
  changesOfEntry({ action, objectType: 'station', objectId: 'A', details })

describe('an entry', () => {
  it('says what was before and is now, with units', () => {
    expect(
      changesOf({ name: 'Bay 7', max_power_w: 22_000, before: { name: 'Bay 1', max_power_w: 11_000 } }),
    ).toEqual([
      { label: 'Name', before: 'Bay 1', after: 'Bay 7' },
      { label: 'Most power', before: '11.0 kW', after: '22.0 kW' },
    ])
  })

  it('leaves out what has not changed', () => {
    expect(changesOf({ quiet: true, name: null, before: { quiet: true, name: 'A' } })).toEqual([
      { label: 'Name', before: 'A', after: 'nothing' },
    ])
  })

  it('of an older version says what there is', () => {
    expect(changesOf({ quiet: false, siteId: 'north' })).toEqual([
      { label: 'Quiet', before: null, after: 'no' },
      { label: 'Site id', before: null, after: 'north' },
    ])
  })

  it('of a session has both under names of their own', () => {
    const changes = changesOf({
      reason: 'No stop came',
      before: { meterStopWh: null, cost: null, flags: [] },
      after: { meterStopWh: 12_000, cost: '3.60', flags: ['closedByHand'] },
    })
    expect(changes.map(({ label, before, after }) => [label, before, after])).toEqual([
      ['Reason', null, 'No stop came'],
      ['Meter at the end', 'nothing', '12.0 kWh (12000 Wh)'],
      ['Cost', 'nothing', '3.60'],
      ['Odd about it', 'nothing odd', 'Closed by hand'],
    ])
  })

  it('of something new leaves out what nobody has said', () => {
    expect(changesOf({ name: 'Bay', site_id: null, password: 'cleared', identity: 'A' }, 'create')).toEqual([
      { label: 'Name', before: null, after: 'Bay' },
    ])
  })

  it('does not say again what stands in its phrase', () => {
    expect(changesOf({ action: 'Reset', call: 'x' }, 'call')).toEqual([])
    expect(changesOf({ key: 'A', desired: '60', before: { desired: null } }, 'configure')).toEqual([
      { label: 'Shall be', before: 'nothing', after: '60' },
    ])
  })

  it('names the parts of lists', () => {
    const circuit = { id: 'c', name: 'Row', limit_w: 50_000, phase_limit_da: null }
    expect(changesOf({ circuits: [circuit], before: { circuits: [] } })).toEqual([
      { label: 'Circuits', before: 'none', after: 'Row (limit 50.0 kW)' },
    ])
  })

  it('has words for what it does not know', () => {
    expect(labelOf('some_new_thing')).toBe('Some new thing')
    expect(labelOf('someNewThing')).toBe('Some new thing')
  })
})
