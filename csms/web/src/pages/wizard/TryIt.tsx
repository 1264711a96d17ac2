import { Button, Group, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { api, ok, sendJson } from '@/api/client'
import { useSession, useStation } from '@/live/hooks'
import type { LiveConnector, LiveStation } from '@/live/types'
import { energy, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageLink } from '@/parts/PageLink'
import { PendingButton } from '@/parts/PendingButton'
import { powerNow } from '@/parts/PowerNow'
import { StatusBadge } from '@/parts/StatusBadge'
import classes from './wizard.module.css'

/** A start at each connector, seen to happen. */
export function TryIt({ stationId, again }: { stationId: string; again: () => void }) {
  const station = useStation(stationId)
  const outlets = station?.connectors.filter(({ connectorId }) => connectorId > 0) ?? []
  return (
    <>
      <Text size="sm" c="dimmed" mb="xs">
        {station?.online
          ? 'Plug a car in and start. An id tag made for you is used.'
          : 'The charger is not connected: a start can be tried as soon as it is.'}
      </Text>
      {station !== undefined &&
        outlets.map((connector) => (
          <Outlet key={connector.connectorId} station={station} connector={connector} />
        ))}
      {station?.online && outlets.length === 0 && (
        <Text size="sm">It has told nothing of its connectors yet; most do within a minute.</Text>
      )}
      <Group gap="xs" mt="md">
        <Button
          component={Link}
          variant="default"
          to="/stations/$stationId"
          params={{ stationId } as never}
          rightSection={<Icon name="chevronRight" size={14} />}
        >
          To the station
        </Button>
        <Button variant="subtle" onClick={again}>
          Connect another one
        </Button>
      </Group>
    </>
  )
}

function Outlet({ station, connector }: { station: LiveStation; connector: LiveConnector }) {
  const { connectorId, sessionId } = connector
  const session = useSession(sessionId)
  return (
    <div className={classes.connector}>
      <b>Connector {connectorId}</b>
      <StatusBadge status={connector.status} />
      {sessionId !== null && (
        <span className="num" role="status">
          <PageLink to="/sessions/$sessionId" params={{ sessionId }}>
            Session {sessionId}
          </PageLink>
          {session && ` · ${power(powerNow(session, station))} · ${energy(session.energyKwh)}`}
        </span>
      )}
      {sessionId === null ? (
        <PendingButton
          key="start"
          act={() =>
            sendJson('POST', '/api/sessions/start', { stationId: station.id, connectorId, waitS: 0 })
          }
          done={false}
          disabled={!station.online}
          pendingText="Starting …"
        >
          Start
        </PendingButton>
      ) : (
        <PendingButton
          key="stop"
          variant="default"
          act={() =>
            ok(
              api.POST('/api/sessions/{sessionId}/stop', {
                params: { path: { sessionId } },
                body: { waitS: 0 },
              }),
            )
          }
          done={false}
          disabled={!station.online}
          pendingText="Stopping …"
        >
          Stop
        </PendingButton>
      )}
    </div>
  )
}
