import { describe, expect, it } from 'vitest'
import de from '../../../api/driver_languages/de.json'
import en from '../../../api/driver_languages/en.json'
import es from '../../../api/driver_languages/es.json'
import fr from '../../../api/driver_languages/fr.json'
import { speaker } from './texts'

const LANGUAGES: Record<string, Record<string, string>> = { en, de, fr, es }
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

describe.each(Object.entries(LANGUAGES))('the texts of %s', (language, texts) => {
  it('are all there, in the same order', () => {
    expect(Object.keys(texts)).toEqual(Object.keys(en))
  })
  it('say something and take the same values', () => {
    for (const [key, text] of Object.entries(texts)) {
      expect(text.trim(), key).not.toBe('')
      expect(names(text), key).toEqual(names((en as Record<string, string>)[key] ?? ''))
    }
  })
  it.skipIf(language === 'en')('are translated', () => {
    const same = Object.entries(texts).filter(
      ([key, text]) => text.length > 20 && text === (en as Record<string, string>)[key],
    )
    expect(same).toEqual([])
  })
})

describe('speaker', () => {
  const say = speaker(en)
  it('puts values in', () => {
    expect(say('page.connector', { number: 3 })).toBe('Connector 3')
    expect(say('error.too_many', { seconds: '7' })).toContain('7 seconds')
  })
  it('has a sentence for what it does not know', () => {
    expect(say('problem.neverHeardOf')).toBe(en['error.other'])
  })
  it('does not look at what was put in again', () => {
    expect(say('page.title', { place: '{place}' })).toBe('Charging at {place}')
  })
})
