import { ActionIcon, Button, Menu } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { sendJson } from '@/api/client'
import { hasPage } from '@/app/pages'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { Icon } from '@/parts/Icon'
import { tellDone, tellProblem } from '@/parts/notices'
import { usePending } from '@/parts/pending'
import { EditStation } from '../stationedit/EditStation'
import { call, pathOf, type Station } from './data'

/** What can be done with the whole station. */
export function StationMenu({ station }: { station: Station }) {
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  const before = useRef<string | null>(null)
  const restart = usePending({
    done: station.online && station.bootedAt !== before.current,
    timeoutS: 180,
    onProblem: tellProblem,
  })
  const restarting = restart.phase === 'sending' || restart.phase === 'waiting'
  const busy = station.connectors.some(({ sessionId }) => sessionId !== null)
  const whole = station.connectors.find(({ connectorId }) => connectorId === 0)
  const out = whole?.status === 'Unavailable'

  const reset = () => {
    before.current = station.bootedAt
    return restart.run(() => call(station.id, 'Reset', { type: 'Soft' }))
  }
  const tell = async (text: string, act: () => Promise<unknown>) => {
    try {
      await act()
      tellDone(text)
    } catch (error) {
      tellProblem(error)
    }
  }

  return (
    <>
      {busy ? (
        <ConfirmAction
          disabled={!station.online || restarting}
          leftSection={<Icon name="refresh" size={13} />}
          title={`Restart ${station.name}?`}
          text="Its running sessions end."
          confirm="Restart"
          act={async () => {
            void reset()
          }}
        >
          {restartText(restart.phase)}
        </ConfirmAction>
      ) : (
        <Button
          variant="default"
          disabled={!station.online || restarting}
          leftSection={<Icon name="refresh" size={13} />}
          onClick={() => void reset()}
        >
          <span aria-live="polite">{restartText(restart.phase)}</span>
        </Button>
      )}
      <Button variant="default" leftSection={<Icon name="edit" size={13} />} onClick={() => setEditing(true)}>
        Edit
      </Button>
      <ConfirmAction
        leftSection={<Icon name="trash" size={13} />}
        title={`Delete ${station.name}?`}
        text="Its sessions stay. It is not let in any more, and its name is free again."
        confirm="Delete"
        act={() => sendJson('DELETE', pathOf(station.id))}
        onDone={() => {
          tellDone(`${station.name} is deleted.`)
          void navigate({ to: '/stations' })
        }}
      >
        Delete
      </ConfirmAction>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" aria-label="More actions" size={30}>
            <Icon name="dots" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            disabled={!station.online}
            onClick={() =>
              void tell('The station tells its states anew.', () =>
                call(station.id, 'TriggerMessage', { requestedMessage: 'StatusNotification' }),
              )
            }
          >
            Ask for its states
          </Menu.Item>
          <Menu.Item
            disabled={!station.online}
            onClick={() =>
              void tell(
                out
                  ? 'The station agrees; its states follow.'
                  : 'The station agrees; running sessions end first.',
                () =>
                  call(
                    station.id,
                    'ChangeAvailability',
                    { connectorId: 0, type: out ? 'Operative' : 'Inoperative' },
                    ['Scheduled'],
                  ),
              )
            }
          >
            {out ? 'Whole station back in service' : 'Whole station out of service'}
          </Menu.Item>
          <Menu.Item
            disabled={!station.online}
            onClick={() => void navigate({ to: '.', search: { tab: 'calls', action: 'Reset' } as never })}
          >
            Restart at once (hard) …
          </Menu.Item>
          <Menu.Divider />
          {hasPage('/messages') && (
            <Menu.Item
              onClick={() => void navigate({ to: '/messages', search: { stationId: station.id } as never })}
            >
              Its messages
            </Menu.Item>
          )}
          <Menu.Item component="a" href={pathOf(station.id, '/messages/export')} download>
            Download its messages
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {editing && <EditStation station={station} close={() => setEditing(false)} />}
    </>
  )
}

function restartText(phase: string): string {
  if (phase === 'sending' || phase === 'waiting') return 'Restarting …'
  return phase === 'unconfirmed' ? 'Not back – again?' : 'Restart'
}
