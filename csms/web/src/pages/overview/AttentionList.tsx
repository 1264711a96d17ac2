import { Button } from '@mantine/core'
import { useState } from 'react'
import type { LiveAttention } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { Icon, type IconName } from '@/parts/Icon'
import { AttentionActions } from './AttentionActions'
import classes from './overview.module.css'

const ICONS: Readonly<Record<string, IconName>> = {
  stationFaulted: 'alert',
  stationOffline: 'wifiOff',
  sessionStuck: 'clock',
  limitNotObeyed: 'bolt',
  certificateEndsSoon: 'shield',
  quarantined: 'message',
  siteWarning: 'site',
  refusedConnection: 'lock',
}
const WORDS = { critical: 'Critical', warning: 'Warning', info: 'Note' } as const
const FIRST = 8

/** What needs somebody, the most urgent first, each with what can be done about it. */
export function AttentionList({ items, loaded }: { items: readonly LiveAttention[]; loaded: boolean }) {
  const [all, setAll] = useState(false)
  if (items.length === 0)
    return (
      <p className={classes.none}>
        {loaded ? (
          <>
            <Icon name="check" size={16} color="var(--csms-good)" /> Nothing needs you.
          </>
        ) : (
          'Loading …'
        )}
      </p>
    )
  const shown = all ? items : items.slice(0, FIRST)
  return (
    <>
      <ul className={classes.attention}>
        {shown.map((item) => (
          <li key={item.id} data-severity={item.severity} data-kind={item.kind}>
            <span className={classes.mark}>
              <Icon name={ICONS[item.kind] ?? 'info'} label={WORDS[item.severity]} />
            </span>
            <div className={classes.words}>
              <div>
                {item.text} <span className={classes.since}>{item.since && <Ago at={item.since} />}</span>
              </div>
              {item.detail && <div className={classes.detail}>{item.detail}</div>}
            </div>
            <div className={classes.actions}>
              <AttentionActions item={item} />
            </div>
          </li>
        ))}
      </ul>
      {items.length > shown.length && (
        <Button variant="subtle" mt="xs" onClick={() => setAll(true)}>
          Show all {items.length}
        </Button>
      )}
    </>
  )
}
