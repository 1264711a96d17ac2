import { expect, test } from 'vitest'
import { mendLanguage } from './language'

function mended(language: string): string {
  const browser = { language } as Navigator
  mendLanguage(browser)
  return browser.language
}

test('a language that is none becomes English, others stay', () => {
  expect(mended('en-US@posix')).toBe('en-US')
  expect(() => new Intl.NumberFormat(mended('C.UTF-8'))).not.toThrow()
  expect(mended('de-DE')).toBe('de-DE')
})
