import { beforeEach, describe, expect, it } from 'vitest'
import en from '../../../api/driver_languages/en.json'
import { h, morph } from './dom'
import { formatOf } from './format'
import { drawn } from './page'
import { speaker } from './texts'
import type { Mine, Model, View } from './types'

const manner = { say: speaker(en), format: formatOf('en'), language: 'en' }
const NOW = Date.parse('2026-03-01T12:00:00Z')

const view: View = {
  at: '2026-03-01T12:00:00.000Z',
  place: {
    stationId: 'CP1',
    connectorId: 1,
    connectors: 2,
    name: 'Bay 1',
    site: 'Garage',
    connectorType: 'Type 2',
    maxKw: 22,
  },
  state: 'free',
  say: ['state.free', 'state.free.text'],
  fault: null,
  price: { perKwh: 0.3, currency: 'EUR' },
  open: true,
  blocked: null,
  tag: true,
  mine: null,
  elsewhere: null,
}
const model: Model = {
  view,
  link: 'live',
  newsAt: NOW,
  now: NOW,
  pending: null,
  failure: null,
  tagOpen: false,
  tagProblem: null,
}
const session = {
  reference: '77',
  startedAt: '2026-03-01T11:30:00Z',
  stoppedAt: null,
  energyKwh: 3.5,
  powerKw: 7,
  limitKw: 11,
  socPercent: 42,
  cost: 1.05,
  currency: 'EUR',
  etaAt: '2026-03-01T14:00:00Z',
  etaPercent: 100,
}
const mine = (values: Partial<Mine>): Mine => ({
  phase: 'charging',
  problem: null,
  askedAt: '2026-03-01T11:29:00Z',
  session,
  ...values,
})
const shown = (values: Partial<Model>, more: Partial<View> = {}) =>
  drawn({ ...model, ...values, view: { ...view, ...more } }, manner)
const text = (page: Element) => (page.textContent ?? '').replace(/\s/g, ' ')
const button = (page: Element, action: string) =>
  page.querySelector<HTMLButtonElement>(`button[data-do="${action}"]`)

describe('the page', () => {
  it('offers a start where the connector is free', () => {
    const page = shown({})
    expect(button(page, 'start')?.disabled).toBe(false)
    expect(text(page)).toContain('€0.30 per kWh')
    expect(button(page, 'stop')).toBeNull()
  })
  it('shows pending until the charger has done it', () => {
    const asking = shown({ pending: 'start' })
    expect(button(asking, 'start')?.disabled).toBe(true)
    expect(text(asking)).toContain('Asking the charger')
    const starting = { blocked: 'in_use', tag: false, mine: mine({ phase: 'starting', session: null }) }
    const heard = shown({}, { ...starting, say: ['starting', 'starting.asking'] })
    expect(button(heard, 'start')?.disabled).toBe(true)
    const agreed = shown({}, { ...starting, say: ['starting', 'starting.waiting'] })
    expect(button(agreed, 'start')).toBeNull()
    const stopping = shown({}, { blocked: 'in_use', mine: mine({ phase: 'stopping' }) })
    expect(button(stopping, 'stop')?.disabled).toBe(true)
  })
  it('tells the running session', () => {
    const page = shown({}, { blocked: 'in_use', tag: false, mine: mine({}) })
    for (const part of ['7.0 kW', '3.50 kWh', '€1.05', '30 min', '42 %', '11.0 kW', '77', '(in 2 h 0 min)'])
      expect(text(page)).toContain(part)
    expect(button(page, 'stop')?.disabled).toBe(false)
    expect(button(page, 'start')).toBeNull()
  })
  it('invents no number', () => {
    const bare = { ...session, powerKw: null, cost: null, socPercent: null, limitKw: null, etaAt: null }
    const page = shown({}, { mine: mine({ session: bare }) })
    expect(page.querySelector('[data-key="power"] dd')?.textContent).toBe('–')
    expect(page.querySelector('progress')).toBeNull()
  })
  it('does not look as if it knew what a charger that is offline does', () => {
    const away = { state: 'offline', say: ['charging.offline', 'charging.offline.text'] as [string, string] }
    const page = shown({}, { ...away, mine: mine({ session: { ...session, powerKw: null } }) })
    expect(page.querySelector('.state')?.getAttribute('data-state')).toBe('offline')
    expect(page.querySelector('[data-key="power"] dd')?.textContent).toBe('–')
    expect(page.querySelector('.battery .small')).toBeNull()
    expect(button(page, 'stop')?.disabled).toBe(false)
  })
  it('sums up at the end, and offers the next start', () => {
    const over = { ...session, powerKw: null, stoppedAt: '2026-03-01T11:50:00Z', cost: null }
    const page = shown({}, { mine: mine({ phase: 'done', session: over }), say: ['done', 'reason.Remote'] })
    expect(text(page)).toContain('20 min')
    expect(text(page)).toContain('incomplete')
    expect(page.querySelector('[data-key="power"]')).toBeNull()
    expect(button(page, 'start')).not.toBeNull()
  })
  it('says what is wrong and what to do', () => {
    const page = shown({}, { state: 'faulted', fault: 'GroundFailure', blocked: 'out_of_order', tag: false })
    expect(text(page)).toContain(en['fault.GroundFailure'])
    expect(button(page, 'start')).toBeNull()
  })
  it('asks for the code where there is no other way', () => {
    const page = shown({}, { open: false, blocked: 'tag_needed' })
    expect(page.querySelector('form #code')).not.toBeNull()
    expect(button(page, 'start')).toBeNull()
  })
  it('says at the field what is wrong with the code', () => {
    const page = shown({ tagOpen: true, tagProblem: 'error.tag_refused' })
    const field = page.querySelector('#code')
    expect(field?.getAttribute('aria-invalid')).toBe('true')
    expect(field?.getAttribute('aria-describedby')).toContain('code-problem')
    expect(page.querySelector('#code-problem')?.textContent).toBe(en['error.tag_refused'])
  })
  it('lets no time pass without news', () => {
    const values = { now: NOW + 600_000, newsAt: NOW }
    expect(text(shown({ ...values, link: 'lost' }, { mine: mine({}) }))).toContain('30 min')
    expect(text(shown({ ...values, link: 'live' }, { mine: mine({}) }))).toContain('40 min')
  })
  it('says so when the line is cut', () => {
    expect(text(shown({ link: 'lost' }))).toContain('Connection lost')
    expect(text(shown({}))).not.toContain('Connection lost')
  })
  it('takes names as text', () => {
    const page = shown({}, { place: { ...view.place, name: '<img src=x>' } })
    expect(page.querySelector('img')).toBeNull()
    expect(page.querySelector('h1')?.textContent).toBe('<img src=x>')
  })
})

describe('morph', () => {
  let present: HTMLElement
  beforeEach(() => {
    document.body.replaceChildren()
    present = h('div', {}, h('p', { class: 'a' }, 'one'), h('input', { 'data-key': 'code' }))
    document.body.append(present)
  })
  it('keeps elements, what was typed, and the focus', () => {
    const input = present.querySelector('input') as HTMLInputElement
    input.value = 'typed'
    input.focus()
    morph(
      present,
      h(
        'div',
        { class: 'b' },
        h('p', {}, 'two'),
        h('p', {}, 'new'),
        h('input', { 'data-key': 'code', disabled: true }),
      ),
    )
    expect(present.outerHTML).toBe(
      '<div class="b"><p>two</p><p>new</p><input data-key="code" disabled=""></div>',
    )
    morph(present, h('div', {}, h('input', { 'data-key': 'code' })))
    expect(present.querySelector('input')).toBe(input)
    expect(input.value).toBe('typed')
    expect(document.activeElement).toBe(input)
  })
  it('replaces what is something else', () => {
    morph(present, h('div', {}, 'text', h('b', {}, 'bold')))
    expect(present.outerHTML).toBe('<div>text<b>bold</b></div>')
  })
})
