import { type ReactNode, useId } from 'react'
import classes from './Section.module.css'

interface SectionProps {
  title: string
  /** One sentence: what is shown here, and why. */
  about?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}

/** A part of a page on a card, with a heading of its own. */
export function Section({ title, about, actions, children }: SectionProps) {
  const id = useId()
  return (
    <section className={`card ${classes.section}`} aria-labelledby={id}>
      <div className={classes.head}>
        <h2 id={id}>{title}</h2>
        {actions && <div className={classes.actions}>{actions}</div>}
      </div>
      {about && <p className={classes.about}>{about}</p>}
      {children}
    </section>
  )
}
