import type { ReactNode } from 'react'
import tables from './tables.module.css'

/** Holds a table that may be wider than a phone, or longer than `height`; the keyboard scrolls it too. */
export function Scroller({
  label,
  height,
  children,
}: {
  label: string
  height?: number
  children: ReactNode
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
    <section className={tables.scroller} style={{ maxHeight: height }} tabIndex={0} aria-label={label}>
      {children}
    </section>
  )
}
