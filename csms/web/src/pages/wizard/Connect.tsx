import {
  Alert,
  Button,
  CopyButton,
  Group,
  Loader,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
} from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { api, ok } from '@/api/client'
import type { Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { useLoaded, useStations } from '@/live/hooks'
import { Ago } from '@/parts/Ago'
import { Icon } from '@/parts/Icon'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { addressOf, arrived, hostOf, hostProblem } from './arrivals'
import { LetIn } from './LetIn'
import { NoCharger } from './NoCharger'
import classes from './wizard.module.css'

type FirstRun = components['schemas']['FirstRunOut']
type Refused = components['schemas']['RefusedOut']

const MOST_SHOWN = 6

interface ConnectProps {
  /** Who has been refused, and somebody wants to let in. */
  refused: string | undefined
  /** Who was let in and has not come again yet. */
  waitingFor: string | undefined
  choose: (stationId: string) => void
}

/** The address to enter in a charger, and who comes. */
export function Connect({ refused, waitingFor, choose }: ConnectProps) {
  const found = useQuery<FirstRun, Problem>({
    queryKey: ['first-run'],
    queryFn: () => ok(api.GET('/api/first-run')),
    refetchInterval: 2000,
  })
  const [identity, setIdentity] = useState(refused ?? waitingFor ?? '')
  if (found.data === undefined)
    return found.error ? (
      <ProblemNotice problem={found.error} retry={() => void found.refetch()} />
    ) : (
      <Loader aria-label="Loading" />
    )
  return (
    <>
      <Address run={found.data} identity={identity} setIdentity={setIdentity} />
      <Comers
        run={found.data}
        wanted={refused}
        waitingFor={waitingFor}
        identity={identity.trim()}
        choose={choose}
      />
    </>
  )
}

interface AddressProps {
  run: FirstRun
  identity: string
  setIdentity: (identity: string) => void
}

function Address({ run, identity, setIdentity }: AddressProps) {
  const [secure, setSecure] = useState(false)
  const template = (secure ? run.ocppTlsUrl : run.ocppUrl) ?? run.ocppUrl
  const [host, setHost] = useState('')
  if (template === null)
    return (
      <Alert color="yellow" title="Chargers cannot connect here">
        This process serves no chargers; open this page at the one that does.
      </Alert>
    )
  const wrong = hostProblem(host)
  const url = addressOf(template, wrong === null ? host : '', identity)
  return (
    <div className={classes.connect}>
      <Stack gap="sm">
        <TextInput
          label="What the charger is called"
          description="Its identity: on its label or in its settings. Empty, when it adds it to the address by itself."
          maxLength={255}
          value={identity}
          onChange={(event) => setIdentity(event.currentTarget.value)}
        />
        {run.warnings.length > 0 && (
          <TextInput
            label="Address of this machine in your network"
            description={run.warnings.join(' ')}
            placeholder={hostOf(template)}
            value={host}
            onChange={(event) => setHost(event.currentTarget.value)}
            error={wrong}
          />
        )}
        <div>
          <Group justify="space-between" gap="xs" mb={4}>
            <Text size="sm" fw={500} id="address-label">
              Enter this address in the charger (OCPP 1.6 JSON)
            </Text>
            {run.ocppTlsUrl !== null && run.ocppUrl !== null && (
              <SegmentedControl
                aria-label="Encryption"
                size="xs"
                value={secure ? 'tls' : 'plain'}
                onChange={(value) => setSecure(value === 'tls')}
                data={[
                  { value: 'plain', label: 'Not encrypted' },
                  { value: 'tls', label: 'TLS' },
                ]}
              />
            )}
          </Group>
          <Group gap="xs" wrap="nowrap" align="stretch">
            <output className={classes.url} aria-labelledby="address-label">
              {url}
            </output>
            <CopyButton value={url}>
              {({ copied, copy }) => (
                <Button
                  variant="default"
                  h="auto"
                  leftSection={<Icon name={copied ? 'check' : 'copy'} size={14} />}
                  onClick={copy}
                >
                  <span aria-live="polite">{copied ? 'Copied' : 'Copy'}</span>
                </Button>
              )}
            </CopyButton>
          </Group>
        </div>
      </Stack>
      <div className={classes.code}>
        <img src={`/api/first-run/qr.svg?url=${encodeURIComponent(url)}`} alt="The address as QR code" />
        For your phone at the charger
      </div>
    </div>
  )
}

interface ComersProps {
  run: FirstRun
  wanted: string | undefined
  waitingFor: string | undefined
  identity: string
  choose: (stationId: string) => void
}

function Comers({ run, wanted, waitingFor, identity, choose }: ComersProps) {
  const stations = useStations()
  const loaded = useLoaded('stations')
  const [before, setBefore] = useState<ReadonlySet<string> | null>(null)
  const [adding, setAdding] = useState(false)
  // what asked for it was of longer ago than a day
  const [missed, setMissed] = useState(
    wanted !== undefined && !run.refused.some(({ identity }) => identity === wanted),
  )
  useEffect(() => {
    if (loaded && before === null)
      setBefore(new Set(stations.filter(({ online }) => online).map(({ id }) => id)))
  }, [loaded, before, stations])
  const come = before === null ? [] : arrived(stations, before)
  const known = stations.find(({ id }) => id.toLowerCase() === identity.toLowerCase())
  const shown = [...run.refused]
    .sort((a, b) => Number(b.identity === wanted) - Number(a.identity === wanted))
    .slice(0, MOST_SHOWN)
  const mayAdd = identity !== '' && known === undefined && waitingFor === undefined
  return (
    <>
      <div className={classes.waiting} role="status">
        <Loader size={18} aria-hidden="true" />
        <span>
          {waitingFor === undefined
            ? run.acceptsUnknown
              ? 'Waiting for a charger. Who comes under a new name is let in.'
              : 'Waiting for a charger. Who comes under a new name is refused first, shows here, and you let it in.'
            : `${waitingFor} is expected: it is let in when it tries again, most within a minute or two. You may go on meanwhile.`}
        </span>
      </div>
      <ul className={classes.comers} aria-label="Who has come">
        {come.map(({ id, name }) => (
          <li key={id} data-good>
            <div className={classes.comer}>
              <span>
                <b>{name}</b> is connected.
              </span>
              {id !== waitingFor && (
                <Button onClick={() => choose(id)} rightSection={<Icon name="chevronRight" size={14} />}>
                  Go on with it
                </Button>
              )}
            </div>
          </li>
        ))}
        {known !== undefined && !come.includes(known) && known.id !== waitingFor && (
          <li data-good>
            <div className={classes.comer}>
              <span>
                There is a station <b>{known.name}</b> of this identity
                {known.online ? ', and it is connected.' : '; it is not connected.'}
              </span>
              <Button variant="default" onClick={() => choose(known.id)}>
                Go on with it
              </Button>
            </div>
          </li>
        )}
        {shown
          .filter(({ identity }) => !come.some(({ id }) => id === identity))
          .map((row) => (
            <Refusal key={row.identity} row={row} open={row.identity === wanted} choose={choose} />
          ))}
        {((mayAdd && !shown.some((row) => row.identity === identity)) || missed) && !run.acceptsUnknown && (
          <li>
            {adding || missed ? (
              <LetIn
                identity={missed && wanted !== undefined ? wanted : identity}
                tried={false}
                done={choose}
                cancel={() => {
                  setAdding(false)
                  setMissed(false)
                }}
              />
            ) : (
              <div className={classes.comer}>
                <span>
                  <b>{identity}</b> has not tried yet.
                </span>
                <Button variant="default" onClick={() => setAdding(true)}>
                  Let it in when it comes
                </Button>
              </div>
            )}
          </li>
        )}
      </ul>
      <NoCharger />
    </>
  )
}

function Refusal({
  row,
  open: asked,
  choose,
}: {
  row: Refused
  open: boolean
  choose: (id: string) => void
}) {
  const [open, setOpen] = useState(asked && !row.known)
  return (
    <li>
      <div className={classes.comer}>
        <div>
          <b>{row.identity}</b> has tried and was refused: {row.reason ?? `HTTP ${row.status}`}.{' '}
          <Text span size="sm" c="dimmed">
            <Ago at={row.at} /> from {row.address}
            {row.attempts > 1 && `, ${row.attempts} times`}
          </Text>
          {(row.fix !== null || !row.known) && (
            <Text size="sm">
              <b>To do:</b>{' '}
              {row.known
                ? row.fix
                : 'Let it in if it is yours; else correct the identity that is set in it (capitals count).'}
            </Text>
          )}
        </div>
        {row.known ? (
          <PageLink to="/stations/$stationId" params={{ stationId: row.identity }}>
            Its page
          </PageLink>
        ) : (
          !open && <Button onClick={() => setOpen(true)}>Let it in</Button>
        )}
      </div>
      {open && <LetIn identity={row.identity} tried done={choose} cancel={() => setOpen(false)} />}
    </li>
  )
}
