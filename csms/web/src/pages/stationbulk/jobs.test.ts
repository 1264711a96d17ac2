import { expect, it } from 'vitest'
import { type Criteria, progressOf, selectionOf, statusWords } from './jobs'

const NOBODY: Criteria = {
  who: 'matching',
  ids: [],
  siteId: '',
  vendor: '',
  model: '',
  firmwareVersion: '',
  text: '',
  online: false,
}

it('a selection says somebody, or is none', () => {
  expect(selectionOf(NOBODY)).toBeNull()
  expect(selectionOf({ ...NOBODY, online: true })).toBeNull()
  expect(selectionOf({ ...NOBODY, who: 'chosen' })).toBeNull()
  expect(selectionOf({ ...NOBODY, who: 'chosen', ids: ['a'], vendor: 'x' })).toEqual({ ids: ['a'] })
  expect(selectionOf({ ...NOBODY, who: 'all', ids: ['a'], online: true })).toEqual({
    all: true,
    online: true,
  })
  expect(selectionOf({ ...NOBODY, vendor: ' ABB ', siteId: 'depot' })).toEqual({
    vendor: 'ABB',
    siteId: 'depot',
  })
})

it('progress counts those that have an outcome', () => {
  expect(progressOf({ total: 4, waiting: 3 })).toBe(0.25)
  expect(progressOf({ total: 0, waiting: 0 })).toBe(1)
})

it('a status of a job is told in words', () => {
  expect(statusWords('DownloadFailed')).toBe('Download failed')
  expect(statusWords('Installed')).toBe('Installed')
})
