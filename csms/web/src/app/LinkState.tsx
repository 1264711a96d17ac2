import { Button } from '@mantine/core'
import { live, useLink } from '@/live/hooks'
import { useNow } from '@/parts/clock'
import { duration, exactTime, shortTime } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import classes from './LinkState.module.css'

/** The state of the live link, in the header. */
export function LiveDot() {
  const { phase } = useLink()
  const text = phase === 'live' ? 'Live' : phase === 'lost' ? 'Cut off' : 'Connecting'
  return (
    <span className={classes.dot} data-phase={phase} role="status">
      <span className={classes.light} aria-hidden="true" />
      <span className={classes.word}>{text}</span>
    </span>
  )
}

/** Says above the page that what it shows is old, how old, and when the next try is. */
export function LinkBanner() {
  const link = useLink()
  if (link.phase !== 'lost') return null
  return <Lost since={link.since} retryAt={link.retryAt} />
}

function Lost({ since, retryAt }: { since: number; retryAt: number | null }) {
  const now = useNow()
  // a cut that heals by itself within a moment is no news
  if (now - since < 1000) return null
  const wait = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000)
  return (
    <div className={classes.banner} role="alert">
      <Icon name="wifiOff" />
      <span className={classes.words}>
        <b>Connection lost.</b> What you see is as of{' '}
        <time title={exactTime(since)}>{shortTime(since, now)}</time>, {duration((now - since) / 1000)} ago.{' '}
        {wait > 0 ? `Trying again in ${wait} s.` : 'Trying again …'}
      </span>
      <Button variant="white" color="dark" ml="auto" onClick={() => live.hurry()}>
        Try now
      </Button>
    </div>
  )
}
