import type { LiveConnector } from '@/live/types'
import { lookOf } from '@/parts/StatusBadge'
import classes from './ConnectorDots.module.css'

/** One small mark a connector, in its number's order; the words are read aloud and on hover. */
export function ConnectorDots({
  connectors,
  online,
}: {
  connectors: readonly LiveConnector[]
  online: boolean
}) {
  if (connectors.length === 0) return <>–</>
  return (
    <span className={classes.dots} data-online={online}>
      {connectors.map(({ connectorId, status }) => {
        const look = lookOf(status)
        return (
          <span
            key={connectorId}
            className={classes.dot}
            data-tone={look.tone}
            title={`${connectorId}: ${look.text}${online ? '' : ' (last known)'}`}
            role="img"
            aria-label={`Connector ${connectorId}: ${look.text}`}
          >
            {connectorId}
          </span>
        )
      })}
    </span>
  )
}
