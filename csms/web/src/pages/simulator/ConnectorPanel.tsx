import {
  ActionIcon,
  Button,
  Group,
  Menu,
  NumberInput,
  Popover,
  Slider,
  Stack,
  Text,
  TextInput,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { type FormEvent, memo, useState } from 'react'
import { useMe } from '@/api/me'
import { NOTHING, percent, power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { StatusBadge } from '@/parts/StatusBadge'
import { ERROR_CODES, limitOf, offerW, type SimConnector, useAct } from './simulator'
import classes from './simulator.module.css'

type Act = ReturnType<typeof useAct>

/** A connector with its car: what flows, what it may take, and what a driver can do there. */
export const ConnectorPanel = memo(function ConnectorPanel({
  identity,
  connector,
}: {
  identity: string
  connector: SimConnector
}) {
  const { may } = useMe()
  const faulty = connector.errorCode !== 'NoError'
  return (
    <section className={classes.connector} aria-label={`${identity}, connector ${connector.connectorId}`}>
      <div className={classes.line}>
        <Group gap={8} wrap="nowrap">
          <Text size="xs" c="dimmed" className="num">
            #{connector.connectorId}
          </Text>
          <StatusBadge status={connector.status} title={faulty ? connector.errorCode : undefined} />
        </Group>
        <span className={`${classes.power} num`}>{power(connector.powerW / 1000)}</span>
      </div>
      {faulty && (
        <Text size="xs" c="var(--csms-bad)">
          {connector.errorCode}
        </Text>
      )}
      <Flow connector={connector} />
      <Facts connector={connector} />
      {may('operator') && (
        <Controls
          identity={identity}
          connectorId={connector.connectorId}
          socPercent={connector.vehicle ? Math.round(connector.socPercent ?? 0) : null}
          faulty={faulty}
        />
      )}
    </section>
  )
})

interface ControlsProps {
  identity: string
  connectorId: number
  /** Of the car; null: there is none. */
  socPercent: number | null
  faulty: boolean
}

// not drawn anew with each reading
const Controls = memo(function Controls({ identity, connectorId, socPercent, faulty }: ControlsProps) {
  const act = useAct({ identity, connectorId })
  return (
    <>
      {socPercent !== null && (
        <Charge id={`soc-${identity}-${connectorId}`} socPercent={socPercent} act={act} />
      )}
      <Group gap={6}>
        {socPercent !== null ? (
          <Button variant="default" onClick={() => act.mutate({ action: 'unplug' })} loading={act.isPending}>
            Unplug
          </Button>
        ) : (
          <PlugIn act={act} />
        )}
        <PresentTag act={act} />
        <Fault act={act} faulty={faulty} label={`Fault at ${identity}, connector ${connectorId}`} />
      </Group>
      {act.error && act.variables?.action !== 'tag' && (
        <Text size="sm" c="var(--csms-bad)" role="alert" mt={6}>
          {act.error.message}
        </Text>
      )}
    </>
  )
})

/** Power as a bar, with a mark at what is offered to the car; the numbers stand beside it. */
function Flow({ connector }: { connector: SimConnector }) {
  const full = connector.maxW || 1
  const offered = offerW(connector)
  const share = (watts: number) => Math.max(0, Math.min(100, (100 * watts) / full))
  return (
    <div className={classes.track} aria-hidden="true">
      <span className={classes.flow} style={{ width: `${share(connector.powerW)}%` }} />
      {offered !== null && (
        <span className={classes.offer} style={{ left: `calc(${share(offered)}% - 2px)` }} />
      )}
    </div>
  )
}

function Facts({ connector }: { connector: SimConnector }) {
  const facts: [string, string][] = [
    ['Limit', limitOf(connector)],
    ['Battery', connector.vehicle ? percent(connector.socPercent) : 'no car'],
    ['Current', connector.phases ? `${connector.currentA.toFixed(1)} A × ${connector.phases}` : '0.0 A'],
    ['Session', connector.transactionId === null ? NOTHING : String(connector.transactionId)],
    ['Tag', connector.idTag ?? NOTHING],
    ['Meter', `${(connector.registerWh / 1000).toFixed(2)} kWh`],
  ]
  return (
    <dl className={classes.facts}>
      {facts.map(([name, text]) => (
        <div key={name} style={{ minWidth: 0 }}>
          <dt>{name}</dt>
          <dd className="num" title={text}>
            {text}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** The car's state of charge; follows the car until a hand is on it. */
function Charge({ id, socPercent, act }: { id: string; socPercent: number; act: Act }) {
  const [held, setHeld] = useState<number | null>(null)
  return (
    <div className={classes.soc}>
      <span id={id}>Charge level</span>
      <Slider
        flex={1}
        size="sm"
        min={0}
        max={100}
        value={held ?? socPercent}
        label={(value) => `${value} %`}
        thumbProps={{ 'aria-labelledby': id }}
        onChange={setHeld}
        onChangeEnd={(wanted) =>
          act.mutate({ action: 'soc', body: { socPercent: wanted } }, { onSettled: () => setHeld(null) })
        }
      />
      <span className="num">{held ?? socPercent} %</span>
    </div>
  )
}

function PlugIn({ act }: { act: Act }) {
  const [opened, { toggle, close }] = useDisclosure(false)
  const [car, setCar] = useState({ batteryKwh: 60, socPercent: 20, targetSocPercent: 100, maxKw: 100 })
  const number = (name: keyof typeof car, label: string, min: number, max: number, suffix: string) => (
    <NumberInput
      label={label}
      value={car[name]}
      min={min}
      max={max}
      suffix={suffix}
      onChange={(value) => setCar({ ...car, [name]: typeof value === 'number' ? value : min })}
    />
  )
  return (
    <Popover opened={opened} onChange={close} position="bottom-start" shadow="md" trapFocus withinPortal>
      <Button.Group>
        <Button onClick={() => act.mutate({ action: 'plug', body: car })} loading={act.isPending}>
          Plug in
        </Button>
        <Popover.Target>
          <Button
            px={6}
            onClick={toggle}
            aria-label="Choose the car"
            style={{ borderLeft: '1px solid #fff6' }}
          >
            <Icon name="chevronDown" size={14} />
          </Button>
        </Popover.Target>
      </Button.Group>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            act.mutate({ action: 'plug', body: car }, { onSuccess: close })
          }}
        >
          <Stack gap="xs" w={220}>
            {number('batteryKwh', 'Battery', 0.1, 2000, ' kWh')}
            {number('socPercent', 'Charge level now', 0, 100, ' %')}
            {number('targetSocPercent', 'Charges up to', 0, 100, ' %')}
            {number('maxKw', 'Takes at most', 0.01, 2000, ' kW')}
            <Button type="submit" loading={act.isPending}>
              Plug this car in
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}

function PresentTag({ act }: { act: Act }) {
  const [opened, { toggle, close }] = useDisclosure(false)
  const [idTag, setIdTag] = useState('')
  const [missing, setMissing] = useState(false)
  const failed = act.variables?.action === 'tag' ? act.error : null
  const refusal =
    failed?.code === 'refused' ? 'Not let in, or no session of this tag to stop' : failed?.message
  function present(event: FormEvent) {
    event.preventDefault()
    setMissing(idTag === '')
    if (idTag !== '') act.mutate({ action: 'tag', body: { idTag } }, { onSuccess: close })
  }
  return (
    <Popover opened={opened} onChange={close} position="bottom" shadow="md" trapFocus withinPortal>
      <Popover.Target>
        <Button variant="default" onClick={toggle}>
          Present tag …
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={present} noValidate>
          <Stack gap="xs" w={220}>
            <TextInput
              label="Id tag"
              description="Starts a session, or stops its own one"
              maxLength={255}
              value={idTag}
              onChange={(event) => setIdTag(event.currentTarget.value)}
              error={missing ? 'Enter an id tag' : refusal}
            />
            <Button type="submit" loading={act.isPending}>
              Hold it to the reader
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}

function Fault({ act, faulty, label }: { act: Act; faulty: boolean; label: string }) {
  const fail = (errorCode: string) => act.mutate({ action: 'error', body: { errorCode } })
  if (faulty)
    return (
      <Button
        variant="default"
        leftSection={<Icon name="wand" size={14} />}
        onClick={() => fail('NoError')}
        loading={act.isPending}
      >
        Repair
      </Button>
    )
  return (
    <Menu position="bottom-end" withinPortal shadow="md">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={label}>
          <Icon name="alert" size={14} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
        <Menu.Label>Let it fail with</Menu.Label>
        {ERROR_CODES.map((code) => (
          <Menu.Item key={code} onClick={() => fail(code)}>
            {code}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
