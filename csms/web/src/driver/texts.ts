import type { TextTable } from './types'

export type Say = (key: string, values?: Record<string, string | number>) => string

/** Returns what looks texts up; `{name}` in a text stands for a value, a key without a text for `fallback`. */
export function speaker(texts: Partial<TextTable>, fallback = 'error.other'): Say {
  const table = texts as Record<string, string | undefined>
  return (key, values = {}) => {
    const text = table[key] ?? table[fallback] ?? ''
    return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
      values[name] === undefined ? whole : String(values[name]),
    )
  }
}
