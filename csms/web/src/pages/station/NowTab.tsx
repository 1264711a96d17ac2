import { Anchor } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, ok } from '@/api/client'
import { Ago } from '@/parts/Ago'
import { EmptyState } from '@/parts/EmptyState'
import { NOTHING, power } from '@/parts/format'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import { ConnectorCard } from './ConnectorCard'
import type { Station } from './data'
import { faultText } from './faults'
import { Reservations } from './Reservations'
import classes from './station.module.css'

/** What it does now: its connectors, who has reserved them, and what it is. */
export function NowTab({ station }: { station: Station }) {
  const whole = station.connectors.find(({ connectorId }) => connectorId === 0)
  const outlets = station.connectors.filter(({ connectorId }) => connectorId > 0)
  const fault = whole?.errorCode && whole.errorCode !== 'NoError' ? whole.errorCode : null
  return (
    <>
      {whole && (fault || whole.status === 'Unavailable' || whole.availabilityScheduled) && (
        <p>
          The whole station: <StatusBadge status={whole.status} />{' '}
          {fault && <span className={classes.error}>{faultText(fault)}</span>}
          {whole.availabilityScheduled && ' It changes once its sessions are over.'}
        </p>
      )}
      {outlets.length === 0 ? (
        <EmptyState icon="plug" title="No connector has been told yet">
          They show up with the station's first word about them.
        </EmptyState>
      ) : (
        <div className={classes.connectors}>
          {outlets.map((connector) => (
            <ConnectorCard key={connector.connectorId} station={station} connector={connector} />
          ))}
        </div>
      )}
      <div className={classes.two}>
        <Reservations station={station} />
        <DriverPages station={station} />
      </div>
      <Facts station={station} />
    </>
  )
}

function Facts({ station }: { station: Station }) {
  const electric = `${station.currentType}, ${
    station.currentType === 'AC' ? `${station.phases} × ${station.voltageV} V` : `${station.voltageV} V`
  }`
  const facts: [string, React.ReactNode][] = [
    [
      'Identity',
      <span key="id" className={classes.mono}>
        {station.id}
      </span>,
    ],
    ['Most power', power(station.maxKw)],
    ['Electricity', electric],
    ['Connector type', station.connectorType],
    ['Place', placeText(station.location)],
    ['Vendor', station.vendor],
    ['Model', station.model],
    ['Firmware', station.firmwareVersion],
    [
      'Serial number',
      station.serialNumber ?? station.chargePointSerialNumber ?? station.chargeBoxSerialNumber,
    ],
    ['Meter', [station.meterType, station.meterSerialNumber].filter(Boolean).join(' ') || null],
    ['SIM card', [station.iccid, station.imsi].filter(Boolean).join(' / ') || null],
    ['Security profile', String(station.securityProfile)],
    ['Calls by itself', station.quiet ? 'none (quiet)' : 'as needed'],
    ['Protocol', station.strict ? 'strict, no repairs' : 'repairs allowed'],
    ['Connected', station.online && station.connectedAt ? <Ago key="c" at={station.connectedAt} /> : null],
    ['Booted', station.bootedAt ? <Ago key="b" at={station.bootedAt} /> : null],
    ['Added', <Ago key="a" at={station.createdAt} />],
  ]
  return (
    <Section title="What it is">
      <dl className={classes.facts} style={{ marginTop: 8 }}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value || NOTHING}</dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}

export function placeText(location: Station['location']): string | null {
  if (location === null || typeof location === 'string') return location
  const { address, lat, lon } = location as { address?: string; lat?: number; lon?: number }
  return address ?? `${lat}, ${lon}`
}

const ACCESS: Readonly<Record<string, string>> = {
  off: 'Off: drivers see nothing there.',
  idTag: 'Drivers start with their id tag.',
  open: 'Anybody may start.',
}

function DriverPages({ station }: { station: Station }) {
  const { id: stationId } = station
  const found = useQuery({
    queryKey: ['stations', stationId, 'driver-page'],
    queryFn: () => ok(api.GET('/api/stations/{stationId}/driver-page', { params: { path: { stationId } } })),
  })
  const rules = found.data
  if (rules === undefined) return null
  const on = rules.effective.access !== 'off'
  return (
    <Section
      title="Driver pages"
      about={ACCESS[rules.effective.access]}
      actions={
        on && (
          <Anchor href={`/api/stations/${encodeURIComponent(stationId)}/qr-sheet`} target="_blank" size="sm">
            Labels to print
          </Anchor>
        )
      }
    >
      {on && (
        <ul
          style={{
            display: 'flex',
            flexWrap: 'wrap',
            gap: 16,
            margin: '8px 0 0',
            padding: 0,
            listStyle: 'none',
          }}
        >
          {rules.pages.map(({ connectorId, url }) => (
            <li key={connectorId}>
              <img
                className={classes.qr}
                alt={`QR code of connector ${connectorId}`}
                src={`/api/stations/${encodeURIComponent(stationId)}/connectors/${connectorId}/qr.svg`}
              />
              <br />
              <Anchor href={url} target="_blank" size="sm">
                Connector {connectorId}
              </Anchor>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}
