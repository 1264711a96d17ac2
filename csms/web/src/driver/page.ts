import { h } from './dom'
import type { Format } from './format'
import type { Say } from './texts'
import type { Model, Session, View } from './types'

export const LANGUAGES = ['en', 'de', 'fr', 'es'] as const

export interface Manner {
  say: Say
  format: Format
  language: string
}

/** Returns the whole page of a model; the server draws its first picture with the same names. */
export function drawn(model: Model, manner: Manner): HTMLElement {
  const { view } = model
  const page = h('div', { id: 'page' }, header(model, manner))
  page.append(
    view === null
      ? h('main', {}, gone(manner))
      : h(
          'main',
          {},
          linkNotice(model, manner),
          stateCard(model, view, manner),
          faultCard(view, manner),
          sessionCard(model, view, manner),
          actions(model, view, manner),
          tagForm(model, view, manner),
          elsewhere(view, manner),
          priceLine(view, manner),
        ),
  )
  return page
}

function header({ view }: Model, { say, language }: Manner): HTMLElement {
  const links = LANGUAGES.map((each) =>
    h(
      'a',
      { href: `?lang=${each}`, lang: each, hreflang: each, 'aria-current': each === language && 'true' },
      each.toUpperCase(),
    ),
  )
  return h(
    'header',
    {},
    h('nav', { 'aria-label': say('language.choose') }, ...links),
    h('p', { class: 'where' }, view ? say('page.connector', { number: view.place.connectorId }) : ''),
    h('h1', {}, view ? view.place.name : say('page.missing')),
    view?.place.site ? h('p', { class: 'site' }, view.place.site) : null,
  )
}

function gone({ say }: Manner): HTMLElement {
  return h('section', { class: 'card state' }, h('p', {}, say('page.missing.text')))
}

function linkNotice({ link, newsAt }: Model, { say, format }: Manner): HTMLElement | null {
  if (link === 'live') return null
  const key = link === 'lost' ? 'page.lost' : 'page.stale'
  return h(
    'p',
    { class: 'notice', role: 'status', 'data-key': 'link' },
    say(key, { time: format.time(newsAt) }),
  )
}

/** The state in words; the only part that a screen reader reads out by itself. */
function stateCard(model: Model, view: View, { say }: Manner): HTMLElement {
  const asking = model.pending === 'start' || model.pending === 'tag'
  const stopping = model.pending === 'stop'
  const [headline, sentence] = asking
    ? ['starting', 'starting.asking']
    : stopping
      ? ['stopping', 'stopping.text']
      : view.say
  const tone = asking ? 'starting' : stopping ? 'stopping' : standing(view)
  const problem = view.mine?.problem && view.mine.phase !== 'failed'
  return h(
    'section',
    { class: 'card state', 'data-key': 'state', 'data-state': tone, role: 'status', 'aria-atomic': 'true' },
    h(
      'h2',
      {},
      tone === 'starting' || tone === 'stopping'
        ? h('span', { class: 'spinner', 'aria-hidden': 'true' })
        : null,
      say(headline),
    ),
    h('p', { class: problem ? 'problem' : null }, say(sentence)),
  )
}

/** Returns how things stand: charging is no news of a charger that is offline. */
function standing(view: View): string {
  if (view.state === 'offline' && view.mine?.phase === 'charging') return 'offline'
  return view.mine?.phase ?? view.state
}

function faultCard(view: View, { say }: Manner): HTMLElement | null {
  if (view.fault === null) return null
  return h(
    'section',
    { class: 'card fault', 'data-key': 'fault' },
    h('h2', {}, say('fault.title')),
    h('p', {}, say(`fault.${view.fault}`)),
  )
}

function sessionCard(model: Model, view: View, manner: Manner): HTMLElement | null {
  const session = view.mine?.session
  if (!session) return null
  const { say, format } = manner
  const over = view.mine?.phase === 'done'
  // without news nothing goes on: what the charger does meanwhile is not known here
  const known = model.link === 'live' ? model.now : model.newsAt
  const end = session.stoppedAt ? Date.parse(session.stoppedAt) : known
  const power = session.powerKw ?? (over ? null : undefined)
  return h(
    'section',
    { class: 'card session', 'data-key': 'session' },
    battery(session, model, over || view.state === 'offline', manner),
    h(
      'dl',
      {},
      power === null
        ? null
        : value('power', say('value.power'), power === undefined ? '–' : format.power(power)),
      value('energy', say('value.energy'), format.energy(session.energyKwh)),
      value(
        'cost',
        say(over ? 'value.total' : 'value.cost'),
        session.cost === null ? '–' : format.money(session.cost, session.currency),
      ),
      value('duration', say('value.duration'), format.duration(end - Date.parse(session.startedAt))),
      over || session.limitKw === null || session.limitKw >= (view.place.maxKw ?? Number.POSITIVE_INFINITY)
        ? null
        : value('limit', say('value.limit'), format.power(session.limitKw)),
    ),
    over && session.cost === null ? h('p', { class: 'small' }, say('done.notBilled')) : null,
    over && view.state === 'finishing' ? h('p', {}, say('done.text')) : null,
    h('p', { class: 'small' }, say('value.reference', { number: session.reference })),
  )
}

function value(key: string, name: string, text: string): HTMLElement {
  return h('div', { 'data-key': key }, h('dt', {}, name), h('dd', {}, text))
}

function battery(session: Session, model: Model, over: boolean, { say, format }: Manner): HTMLElement | null {
  if (session.socPercent === null) return null
  const level = Math.round(Math.min(100, Math.max(0, session.socPercent)))
  return h(
    'div',
    { class: 'battery', 'data-key': 'battery' },
    h(
      'p',
      {},
      h('span', {}, say('value.battery')),
      h('b', { class: 'level' }, format.percent(session.socPercent)),
    ),
    h('progress', { max: 100, value: level, 'aria-label': say('value.battery') }),
    over ? null : h('p', { class: 'small' }, eta(session, model, say, format)),
  )
}

function eta(session: Session, model: Model, say: Say, format: Format): string {
  if (session.etaAt === null || session.etaPercent === null) return say('value.etaNone')
  const at = Date.parse(session.etaAt)
  const when = say('value.eta', { percent: session.etaPercent, time: format.time(at) })
  return `${when} (${say('value.etaIn', { duration: format.duration(Math.max(at - model.now, 60_000)) })})`
}

function actions(model: Model, view: View, { say }: Manner): HTMLElement | null {
  const phase = view.mine?.phase
  const running = phase === 'charging' || phase === 'stopping'
  const failure = model.failure
    ? h(
        'p',
        { class: 'problem', role: 'alert', 'data-key': 'failure' },
        say(model.failure.key, model.failure.values),
      )
    : null
  let buttons: (HTMLElement | null)[] = []
  if (running) {
    const stopping = model.pending === 'stop' || phase === 'stopping'
    buttons = [
      button('stop', say(stopping ? 'action.stopping' : 'action.stop'), { pending: stopping, kind: 'stop' }),
      h('p', { class: 'small', 'data-key': 'unplug' }, say('charging.unplug')),
    ]
  } else if (phase === 'starting') {
    // the button stays where the finger was until the charger has answered
    if (view.say[1] === 'starting.asking') {
      buttons = [button('start', say('action.starting'), { pending: true, kind: 'main' })]
    }
  } else if (view.open && startShown(view)) {
    const starting = model.pending === 'start'
    const label = starting ? 'action.starting' : phase === 'failed' ? 'action.again' : 'action.start'
    buttons = [
      button('start', say(label), {
        pending: starting,
        disabled: view.blocked !== null || model.pending !== null,
        kind: phase === 'done' ? 'second' : 'main',
      }),
      view.blocked === 'not_plugged_in' &&
        h('p', { class: 'small', 'data-key': 'first' }, say('error.not_plugged_in')),
    ].filter(Boolean) as HTMLElement[]
  }
  if (buttons.length === 0 && failure === null) return null
  return h('div', { class: 'actions', 'data-key': 'actions' }, failure, ...buttons)
}

/** Whether a start button makes sense at all: not where others charge or nothing works. */
function startShown(view: View): boolean {
  return view.blocked === null || view.blocked === 'not_plugged_in'
}

interface Look {
  pending?: boolean
  disabled?: boolean
  kind: 'main' | 'second' | 'stop'
}

function button(action: string, text: string, { pending, disabled, kind }: Look): HTMLElement {
  return h(
    'button',
    {
      type: 'button',
      class: kind,
      'data-do': action,
      'data-key': action,
      disabled: pending || disabled,
      'aria-busy': pending ? 'true' : null,
    },
    pending ? h('span', { class: 'spinner', 'aria-hidden': 'true' }) : null,
    text,
  )
}

function tagForm(model: Model, view: View, { say }: Manner): HTMLElement | null {
  if (!view.tag) return null
  const watching = view.state === 'inUse'
  const needed = !view.open && !watching
  if (!needed && !model.tagOpen) {
    return h(
      'p',
      { class: 'more', 'data-key': 'more' },
      h('button', { type: 'button', class: 'plain', 'data-do': 'open-tag' }, say('action.haveTag')),
    )
  }
  const sending = model.pending === 'tag'
  const problem = model.tagProblem
  return h(
    'form',
    { class: 'card tag', 'data-key': 'tag', novalidate: true },
    needed ? h('p', {}, say('tag.needed')) : watching ? h('p', {}, say('tag.mine')) : null,
    h('label', { for: 'code' }, say('tag.label')),
    h('input', {
      id: 'code',
      name: 'code',
      autocomplete: 'off',
      autocapitalize: 'characters',
      spellcheck: 'false',
      enterkeyhint: 'go',
      'aria-describedby': problem ? 'code-problem code-hint' : 'code-hint',
      'aria-invalid': problem ? 'true' : null,
    }),
    problem ? h('p', { id: 'code-problem', class: 'problem', role: 'alert' }, say(problem)) : null,
    h('p', { id: 'code-hint', class: 'small' }, say('tag.hint')),
    h(
      'button',
      {
        type: 'submit',
        class: needed ? 'main' : 'second',
        disabled: model.pending !== null,
        'aria-busy': sending ? 'true' : null,
      },
      sending ? h('span', { class: 'spinner', 'aria-hidden': 'true' }) : null,
      say(sending ? 'action.starting' : watching ? 'action.watch' : 'action.startTag'),
    ),
  )
}

function elsewhere(view: View, { say }: Manner): HTMLElement | null {
  if (view.elsewhere === null) return null
  const { stationId, connectorId } = view.elsewhere
  return h(
    'p',
    { class: 'notice', 'data-key': 'elsewhere' },
    `${say('elsewhere')} `,
    h('a', { href: `/c/${encodeURIComponent(stationId)}/${connectorId}` }, say('elsewhere.show')),
  )
}

function priceLine(view: View, { say, format }: Manner): HTMLElement {
  const { perKwh, currency } = view.price
  const price =
    perKwh === 0 ? say('price.free') : say('price.perKwh', { price: format.price(perKwh, currency) })
  const { connectorType, maxKw } = view.place
  const plug = [connectorType, maxKw === null ? null : say('charger.upTo', { power: format.rating(maxKw) })]
  return h(
    'p',
    { class: 'price', 'data-key': 'price' },
    h('b', {}, price),
    h('span', {}, plug.filter(Boolean).join(', ')),
  )
}
