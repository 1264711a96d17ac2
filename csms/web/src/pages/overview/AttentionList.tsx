import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { LiveAttention } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { count } from '@/parts/format'
import { Icon, type IconName } from '@/parts/Icon'
import { PageLink } from '@/parts/PageLink'
import { AttentionActions } from './AttentionActions'
import classes from './overview.module.css'
import { byKind, firstOf } from './summary'

interface Kind {
  icon: IconName
  /** What many of it are called: "12 more ..." */
  many: string
  /** Stations in which state these are, for the way to all of them. */
  state?: string
}

const KINDS: Readonly<Record<string, Kind>> = {
  stationFaulted: { icon: 'alert', many: 'faults', state: 'Faulted' },
  stationOffline: { icon: 'wifiOff', many: 'that are offline', state: 'offline' },
  sessionStuck: { icon: 'clock', many: 'stuck sessions' },
  limitNotObeyed: { icon: 'bolt', many: 'that do not keep their limit' },
  certificateEndsSoon: { icon: 'shield', many: 'certificates' },
  quarantined: { icon: 'message', many: 'with refused messages' },
  siteWarning: { icon: 'site', many: 'warnings of sites' },
  refusedConnection: { icon: 'lock', many: 'that were refused' },
}
const OTHER: Kind = { icon: 'info', many: 'of this kind' }
const WORDS = { critical: 'Critical', warning: 'Warning', info: 'Note' } as const

/** What needs somebody, the most urgent first, each with what can be done about it. */
export function AttentionList({ items, loaded }: { items: readonly LiveAttention[]; loaded: boolean }) {
  const groups = useMemo(() => byKind(items), [items])
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
  return (
    <ul className={classes.attention}>
      {groups.map((group) => (
        <OfKind key={group[0]?.kind} items={group} kinds={groups.length} />
      ))}
    </ul>
  )
}

/** Things of one kind, the first few of them: many of one must not hide one of another. */
function OfKind({ items, kinds }: { items: readonly LiveAttention[]; kinds: number }) {
  const [all, setAll] = useState(false)
  const shown = firstOf(items, kinds, all)
  const hidden = items.length - firstOf(items, kinds, false).length
  const kind = KINDS[items[0]?.kind ?? ''] ?? OTHER
  return (
    <>
      {shown.map((item) => (
        <li key={item.id} data-severity={item.severity} data-kind={item.kind}>
          <span className={classes.mark}>
            <Icon name={kind.icon} label={WORDS[item.severity]} />
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
      {hidden > 0 && (
        <li className={classes.others}>
          <Button variant="subtle" size="compact-sm" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Show fewer' : `${count(hidden)} more ${kind.many}`}
          </Button>
          {kind.state && (
            <PageLink to="/stations" search={{ state: kind.state }}>
              See them as stations
            </PageLink>
          )}
        </li>
      )}
    </>
  )
}
