import { ActionIcon, Badge, Menu, Text, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { memo, useEffect } from 'react'
import { useMe } from '@/api/me'
import { Icon } from '@/parts/Icon'
import { tellProblem } from '@/parts/notices'
import { StatusBadge } from '@/parts/StatusBadge'
import { ConnectorPanel } from './ConnectorPanel'
import { OddityDrawer } from './OddityDrawer'
import { type SimStation, useAct } from './simulator'
import classes from './simulator.module.css'

/** One charge point: its line to us, what is odd about it, its connectors. */
export const StationCard = memo(function StationCard({ station }: { station: SimStation }) {
  const { may } = useMe()
  return (
    <section className={classes.card} aria-label={station.identity}>
      <div className={classes.head}>
        <h2 className={classes.name} title={`${station.identity} at ${station.url}`}>
          {station.identity}
        </h2>
        {station.waitingMessages > 0 && (
          <Tooltip label="Messages that wait for an answer">
            <Text size="xs" c="dimmed" className="num">
              {station.waitingMessages} waiting
            </Text>
          </Tooltip>
        )}
        <Line station={station} />
        {may('operator') && (
          <StationMenu identity={station.identity} network={station.network} oddities={station.oddities} />
        )}
      </div>
      {station.oddities.length > 0 && (
        <div className={classes.odd}>
          {station.oddities.map((name) => (
            <Badge key={name} size="sm" variant="default" tt="none">
              {name}
            </Badge>
          ))}
        </div>
      )}
      {station.connectors.map((connector) => (
        <ConnectorPanel key={connector.connectorId} identity={station.identity} connector={connector} />
      ))}
    </section>
  )
})

/** How it is connected to the central system. */
function Line({ station }: { station: SimStation }) {
  if (!station.network) return <StatusBadge status="offline" tone="bad" text="Cable pulled" />
  if (!station.online) return <StatusBadge status="Pending" text="Reconnecting" />
  if (station.registration === 'Accepted') return <StatusBadge status="online" />
  return (
    <StatusBadge status={station.registration ?? 'Pending'} text={station.registration ?? 'Connecting'} />
  )
}

type StationMenuProps = Pick<SimStation, 'identity' | 'network' | 'oddities'>

// not drawn anew with each reading of its connectors
const StationMenu = memo(function StationMenu({ identity, network, oddities }: StationMenuProps) {
  const act = useAct({ identity })
  useEffect(() => {
    if (act.error) tellProblem(act.error)
  }, [act.error])
  const [opened, { open, close }] = useDisclosure(false)
  return (
    <>
      <Menu position="bottom-end" withinPortal shadow="md">
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${identity}`} loading={act.isPending}>
            <Icon name="dots" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<Icon name="wifiOff" size={14} />}
            onClick={() => act.mutate({ action: 'network', body: { online: !network } })}
          >
            {network ? 'Pull the network cable' : 'Plug the network cable'}
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="refresh" size={14} />}
            onClick={() => act.mutate({ action: 'reset', body: { type: 'Soft' } })}
          >
            Restart, sessions stopped first
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="refresh" size={14} />}
            onClick={() => act.mutate({ action: 'reset', body: { type: 'Hard' } })}
          >
            Restart at once
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="power" size={14} />}
            onClick={() => act.mutate({ action: 'reset', body: { type: 'PowerLoss' } })}
          >
            Fail its power for a moment
          </Menu.Item>
          <Menu.Item
            leftSection={<Icon name="shield" size={14} />}
            onClick={() => act.mutate({ action: 'tamper' })}
          >
            Open its housing
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="alert" size={14} />} onClick={open}>
            Faults and quirks …
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <OddityDrawer identity={identity} on={oddities} opened={opened} close={close} />
    </>
  )
})
