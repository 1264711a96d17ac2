import { Button, Menu } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { count } from '@/parts/format'
import { Icon } from '@/parts/Icon'

interface ActsProps {
  ids: readonly string[]
  /** Nobody has chosen some of them: these are all that are shown. */
  all: boolean
}

/** What is done to many every day; each leads to a look at who would get it before anything is sent. */
const CALLS = [
  { label: 'Restart …', action: 'Reset', payload: { type: 'Soft' } },
  {
    label: 'Out of service …',
    action: 'ChangeAvailability',
    payload: { connectorId: 0, type: 'Inoperative' },
  },
  {
    label: 'Back in service …',
    action: 'ChangeAvailability',
    payload: { connectorId: 0, type: 'Operative' },
  },
  {
    label: 'Ask for their states …',
    action: 'TriggerMessage',
    payload: { requestedMessage: 'StatusNotification' },
  },
  { label: 'Fetch diagnostics …', action: 'GetDiagnostics', payload: {} },
]

/** Acts on the stations that are chosen, or shown. */
export function Acts({ ids, all }: ActsProps) {
  const navigate = useNavigate()
  const call = (action?: string, payload?: object) =>
    void navigate({
      to: '/bulk/new',
      ...(action ? { search: { action } as never } : {}),
      state: { stations: ids, ...(payload ? { payload } : {}) } as never,
    })
  return (
    <Button.Group>
      <Button variant="default" leftSection={<Icon name="message" size={14} />} onClick={() => call()}>
        {all ? 'Send a call …' : `Send a call to ${count(ids.length)} …`}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" px={8} aria-label="More to do with these stations">
            <Icon name="chevronDown" size={14} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {all ? `All ${count(ids.length)} that are shown` : `The ${count(ids.length)} chosen`}
          </Menu.Label>
          {CALLS.map(({ label, action, payload }) => (
            <Menu.Item key={label} onClick={() => call(action, payload)}>
              {label}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item
            onClick={() =>
              void navigate({
                to: '/firmware',
                search: { tab: 'update' } as never,
                state: { stations: ids } as never,
              })
            }
          >
            Update their firmware …
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Button.Group>
  )
}
