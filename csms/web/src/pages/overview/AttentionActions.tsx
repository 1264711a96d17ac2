import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { api, ok } from '@/api/client'
import { useMe } from '@/api/me'
import { Problem } from '@/api/problem'
import { hasPage } from '@/app/pages'
import { useSession, useStation } from '@/live/hooks'
import type { LiveAttention } from '@/live/types'
import { PendingButton } from '@/parts/PendingButton'

/** What can be done about one thing, for those who may; else the way to it. */
export function AttentionActions({ item }: { item: LiveAttention }) {
  const { may } = useMe()
  return (
    <>
      {may('operator') && <Act item={item} />}
      <Look item={item} />
    </>
  )
}

function Act({ item }: { item: LiveAttention }) {
  const station = useStation(item.stationId)
  const session = useSession(item.sessionId)
  const connector = station?.connectors.find(({ connectorId }) => connectorId === item.connectorId)
  switch (item.kind) {
    case 'stationFaulted':
      if (!station?.online) return null
      return (
        <PendingButton
          variant="default"
          act={() => call(station.id, 'Reset', { type: 'Soft' })}
          done={connector?.status !== 'Faulted'}
          pendingText="Restarting …"
          timeoutS={180}
        >
          Restart
        </PendingButton>
      )
    case 'sessionStuck':
    case 'limitNotObeyed':
      if (!station?.online || !item.sessionId) return null
      return (
        <PendingButton
          variant="default"
          act={() => stop(item.sessionId ?? '')}
          done={session === undefined || session.status === 'completed'}
          pendingText="Stopping …"
        >
          Stop session
        </PendingButton>
      )
    case 'certificateEndsSoon':
      if (!station?.online) return null
      return (
        <PendingButton
          variant="default"
          act={() =>
            call(station.id, 'ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' })
          }
          done={false}
          pendingText="Renewing …"
          timeoutS={180}
        >
          Renew
        </PendingButton>
      )
    case 'refusedConnection':
      if (station !== undefined || !item.stationId || !hasPage('/wizard')) return null
      return (
        <Button
          component={Link}
          variant="default"
          to="/wizard"
          search={{ identity: item.stationId } as never}
        >
          Let it in
        </Button>
      )
    default:
      return null
  }
}

/** The page where one sees more of it. */
function Look({ item }: { item: LiveAttention }) {
  const found = whereTo(item)
  if (found === null || !hasPage(found.to)) return null
  return (
    <Button
      component={Link}
      variant="subtle"
      to={found.to}
      params={found.params as never}
      search={found.search as never}
    >
      {found.text}
    </Button>
  )
}

/** Where on a station's page it is told. */
const TABS: Readonly<Record<string, string>> = { stationOffline: 'diary', certificateEndsSoon: 'security' }

interface Target {
  to: string
  params: Record<string, string>
  text: string
  search?: Record<string, string>
}

function whereTo(item: LiveAttention): Target | null {
  const { kind, stationId, sessionId, siteId } = item
  if (kind === 'siteWarning' && siteId) return { to: '/sites/$siteId', params: { siteId }, text: 'Site' }
  if (kind === 'sessionStuck' && sessionId)
    return { to: '/sessions/$sessionId', params: { sessionId }, text: 'Session' }
  if (kind === 'quarantined')
    return { to: '/quarantine', params: {}, text: 'Look', search: stationId ? { stationId } : {} }
  if (kind === 'refusedConnection' || !stationId) return null
  const tab = TABS[kind]
  const search = tab === undefined ? {} : { search: { tab } }
  return { to: '/stations/$stationId', params: { stationId }, text: 'Station', ...search }
}

/** Sends a call; what the station refuses is a problem too. */
async function call(stationId: string, action: string, body: Record<string, unknown>): Promise<void> {
  const answer = await ok(
    api.POST('/api/stations/{stationId}/calls/{action}', { params: { path: { stationId, action } }, body }),
  )
  if (answer.outcome !== 'accepted')
    throw new Problem(409, 'refused', `The station answers ${answer.status ?? answer.outcome}.`)
}

async function stop(sessionId: string): Promise<void> {
  await ok(
    api.POST('/api/sessions/{sessionId}/stop', { params: { path: { sessionId } }, body: { waitS: 0 } }),
  )
}
