import { useState } from 'react'
import { api, ok } from '@/api/client'
import { useMe } from '@/api/me'
import { useSession } from '@/live/hooks'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { current, energy, money, NOTHING, percent, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { tellDone } from '@/parts/notices'
import { PageLink } from '@/parts/PageLink'
import { PendingButton } from '@/parts/PendingButton'
import { PowerBar } from '@/parts/PowerBar'
import { StatusBadge } from '@/parts/StatusBadge'
import { type Connector, call, type Station } from './data'
import { faultText } from './faults'
import { StartButton } from './StartButton'
import classes from './station.module.css'

/** One connector: what it does now, and what can be done with it. */
export function ConnectorCard({ station, connector }: { station: Station; connector: Connector }) {
  const { may } = useMe()
  const { connectorId, status, errorCode, info, vendorErrorCode } = connector
  const fault = errorCode !== null && errorCode !== 'NoError' ? errorCode : null
  const title = `Connector ${connectorId}`
  return (
    <section className={`card ${classes.card}`} aria-label={title}>
      <div className={classes.head}>
        <h3>{title}</h3>
        <span>
          <StatusBadge status={status} />{' '}
          <span className="dimmed">
            <Ago at={connector.statusAt} />
          </span>
        </span>
      </div>
      {fault && (
        <p className={classes.error} style={{ margin: 0 }}>
          {faultText(fault)}
          {(info || vendorErrorCode) && (
            <span className="dimmed"> {[info, vendorErrorCode].filter(Boolean).join(' · ')}</span>
          )}
        </p>
      )}
      <PowerBar
        label={`Power of connector ${connectorId}`}
        value={station.online ? connector.powerKw : null}
        capacity={connector.limitKw ?? station.maxKw}
      />
      <dl className={classes.facts} data-small>
        <div>
          <dt>Limit</dt>
          <dd className="num">
            {connector.limitKw === null ? 'none set' : power(connector.limitKw)}
            {connector.limitA !== null && <span className="dimmed"> {current(connector.limitA)}</span>}
          </dd>
        </div>
        <SessionFacts sessionId={connector.sessionId} />
      </dl>
      {connector.availabilityScheduled && (
        <p className="dimmed" style={{ margin: 0 }}>
          {connector.availability === 'Inoperative' ? 'Out of service' : 'Back in service'} once its session
          is over.
        </p>
      )}
      {may('operator') && <Actions station={station} connector={connector} />}
    </section>
  )
}

function SessionFacts({ sessionId }: { sessionId: string | null }) {
  const session = useSession(sessionId)
  if (sessionId === null) return null
  return (
    <>
      <div>
        <dt>Session</dt>
        <dd>
          <PageLink to="/sessions/$sessionId" params={{ sessionId }} className="row-link">
            {sessionId}
          </PageLink>{' '}
          <span className="dimmed">{session?.idTag}</span>
        </dd>
      </div>
      <div>
        <dt>Energy</dt>
        <dd className="num">
          {energy(session?.energyKwh)}
          {session?.socPercent != null && <span className="dimmed"> at {percent(session.socPercent)}</span>}
        </dd>
      </div>
      <div>
        <dt>Cost</dt>
        <dd className="num">{session ? money(session.cost, session.currency) : NOTHING}</dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>
          <Ago at={session?.startedAt} />
        </dd>
      </div>
    </>
  )
}

function Actions({ station, connector }: { station: Station; connector: Connector }) {
  const { connectorId, status, sessionId, availabilityScheduled, availability } = connector
  const out = status === 'Unavailable' || (availabilityScheduled && availability === 'Inoperative')
  const change = (type: string) =>
    call(station.id, 'ChangeAvailability', { connectorId, type }, ['Scheduled'])
  const [asking, setAsking] = useState(false)
  // an open dialog stays, and with it what was typed, when the station goes offline meanwhile
  if (!station.online && !asking)
    return <p className="dimmed">Nothing can be done from here while the station is offline.</p>
  return (
    <div className={classes.actions}>
      {sessionId === null ? (
        <StartButton station={station} connector={connector} onAsking={setAsking} />
      ) : (
        <PendingButton
          color="red"
          variant="light"
          leftSection={<Icon name="stop" size={13} />}
          pendingText="Stopping …"
          done={connector.sessionId === null}
          act={() =>
            ok(
              api.POST('/api/sessions/{sessionId}/stop', {
                params: { path: { sessionId } },
                body: { waitS: 0 },
              }),
            )
          }
        >
          Stop
        </PendingButton>
      )}
      {sessionId === null ? (
        <PendingButton
          variant="default"
          leftSection={<Icon name="unlock" size={13} />}
          pendingText="Unlocking …"
          done
          act={async () => {
            await call(station.id, 'UnlockConnector', { connectorId })
            tellDone(`Connector ${connectorId} is unlocked.`)
          }}
        >
          Unlock
        </PendingButton>
      ) : (
        <ConfirmAction
          leftSection={<Icon name="unlock" size={13} />}
          title={`Unlock connector ${connectorId}?`}
          text="A session runs there: it ends, and the cable is free for whoever stands beside it."
          confirm="Unlock"
          act={() => call(station.id, 'UnlockConnector', { connectorId })}
          onDone={() => tellDone(`Connector ${connectorId} is unlocked.`)}
        >
          Unlock
        </ConfirmAction>
      )}
      {out ? (
        <PendingButton
          key="back"
          variant="default"
          leftSection={<Icon name="power" size={13} />}
          pendingText="Coming back …"
          done={!out}
          act={() => change('Operative')}
        >
          Back in service
        </PendingButton>
      ) : (
        <PendingButton
          key="out"
          variant="default"
          leftSection={<Icon name="power" size={13} />}
          pendingText="Going out of service …"
          done={out}
          act={() => change('Inoperative')}
        >
          Out of service
        </PendingButton>
      )}
    </div>
  )
}
