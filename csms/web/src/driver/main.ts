import './driver.css'
import { ask, look, overtaken } from './asking'
import { morph } from './dom'
import { formatOf, localeOf } from './format'
import { LiveLink, type Source } from './link'
import { drawn, type Manner } from './page'
import { speaker } from './texts'
import type { Action, Model, TextTable, View } from './types'

const MOST_CODE = 20

function told<T>(id: string): T | null {
  const text = document.getElementById(id)?.textContent
  return text ? (JSON.parse(text) as T) : null
}

function begin(page: HTMLElement, view: View, texts: TextTable): void {
  const language = document.documentElement.lang
  const manner: Manner = {
    say: speaker(texts),
    format: formatOf(localeOf(language, navigator.languages)),
    language,
  }
  const here = location.pathname
  // what the phone's clock is wrong by
  let ahead = 0
  const clock = () => Date.now() - ahead
  const heard = (next: View) => {
    ahead = Date.now() - Date.parse(next.at)
    return { view: next, newsAt: clock() }
  }
  const { newsAt } = heard(view)
  const model: Model = {
    view,
    link: 'live',
    newsAt,
    now: newsAt,
    pending: null,
    failure: null,
    tagOpen: false,
    tagProblem: null,
  }

  function change(values: Partial<Model>): void {
    Object.assign(model, values, { now: clock() })
    morph(page, drawn(model, manner))
  }

  const link = new LiveLink(
    () => new EventSource(`${here}/events`) as Source,
    () => look(`${here}/state`),
    {
      state: (next) => change({ ...heard(next), link: 'live' }),
      stale: () => change({ link: 'stale' }),
      lost: () => change({ link: 'lost' }),
      gone: () => change({ view: null }),
    },
  )

  async function act(action: Action, body: object): Promise<void> {
    if (model.pending !== null) return
    change({ pending: action, failure: null, tagProblem: null })
    const answer = await ask(`${here}/${action === 'stop' ? 'stop' : 'start'}`, body)
    if ('view' in answer) {
      const news = overtaken(answer.view, model.view) ? {} : heard(answer.view)
      change({ ...news, pending: null, tagOpen: false })
    } else if (answer.code === 'tag_refused') {
      change({ pending: null, tagProblem: 'error.tag_refused' })
      document.getElementById('code')?.focus()
    } else {
      change({ pending: null, failure: answer.failure })
    }
  }

  page.addEventListener('click', (event) => {
    const wanted = (event.target as Element).closest('[data-do]')?.getAttribute('data-do')
    if (wanted === 'start') void act('start', {})
    else if (wanted === 'stop') void act('stop', {})
    else if (wanted === 'open-tag') {
      change({ tagOpen: true })
      document.getElementById('code')?.focus()
    }
  })
  page.addEventListener('submit', (event) => {
    event.preventDefault()
    const code = (document.getElementById('code') as HTMLInputElement).value.trim()
    const tagProblem = code === '' ? 'tag.empty' : code.length > MOST_CODE ? 'tag.long' : null
    if (tagProblem === null) void act('tag', { idTag: code })
    else {
      change({ tagProblem })
      document.getElementById('code')?.focus()
    }
  })

  // the duration moves between two measurements
  setInterval(() => {
    if (model.view?.mine?.session && !document.hidden) change({})
  }, 1000)
  for (const name of ['online', 'pageshow']) addEventListener(name, () => link.wake())
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) link.wake()
  })
  change({})
  link.open()
}

const page = document.getElementById('page')
const view = told<View>('view')
const texts = told<TextTable>('texts')
if (page && view && texts) begin(page, view, texts)
