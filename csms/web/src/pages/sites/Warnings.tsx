import { Button } from '@mantine/core'
import { useState } from 'react'
import { count } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import classes from './sites.module.css'

const SHOWN = 4

/** What is wrong with a site, in sentences; many of them do not push away the rest of the page. */
export function Warnings({ texts }: { texts: readonly string[] }) {
  const [all, setAll] = useState(false)
  if (texts.length === 0) return null
  const shown = all || texts.length <= SHOWN + 1 ? texts : texts.slice(0, SHOWN)
  return (
    <section className={`card ${classes.wrong}`} aria-labelledby="site-warnings">
      <h2 id="site-warnings">
        <Icon name="alert" size={16} />
        {texts.length === 1 ? 'Something is not as it should be' : 'Not as it should be'}
      </h2>
      <ul className={classes.warnings}>
        {shown.map((text) => (
          <li key={text}>{text.charAt(0).toUpperCase() + text.slice(1)}.</li>
        ))}
      </ul>
      {texts.length > SHOWN + 1 && (
        <Button variant="subtle" size="compact-sm" mt={6} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show ${count(texts.length - SHOWN)} more`}
        </Button>
      )}
    </section>
  )
}
