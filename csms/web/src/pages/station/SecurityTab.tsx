import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { useNow } from '@/parts/clock'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { PendingButton } from '@/parts/PendingButton'
import { Section } from '@/parts/Section'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import { certificateState } from './certificates'
import { call, check, pathOf, type Station } from './data'
import classes from './station.module.css'

type Certificate = components['schemas']['CertificateOut']
type SigningRequest = components['schemas']['SigningRequestOut']
type SecurityEvent = components['schemas']['SecurityEventOut']
type SecurityCall = components['schemas']['SecurityCallOut']

const PROFILES = [
  '0: no password',
  '1: a password, not encrypted',
  '2: a password over TLS',
  '3: a certificate of its own over TLS',
]

/** How the station proves who it is, and what has happened to that. */
export function SecurityTab({ station }: { station: Station }) {
  const { may } = useMe()
  return (
    <>
      <Access station={station} mayAct={may('operator')} />
      <Certificates station={station} mayAct={may('operator')} />
      <SigningRequests station={station} />
      <Events station={station} />
    </>
  )
}

function Access({ station, mayAct }: { station: Station; mayAct: boolean }) {
  const queries = useQueryClient()
  const { securityProfile, pendingSecurityProfile } = station
  const again = () => queries.invalidateQueries({ queryKey: ['stations', station.id], exact: true })
  return (
    <Section
      title="How it signs in"
      about={`Security profile ${PROFILES[securityProfile] ?? securityProfile}.`}
    >
      {pendingSecurityProfile !== null && (
        <p role="status">
          <StatusBadge status="Pending" text={`Waiting for profile ${pendingSecurityProfile}`} /> The station
          has been told; it is let in with either until it comes with the new one.
        </p>
      )}
      {station.passwordPending && (
        <p role="status">
          <StatusBadge status="Pending" text="A new key is on its way" /> Both keys are let in until one is
          used.
        </p>
      )}
      {mayAct && (
        <Group gap="xs" mt="sm">
          <ConfirmAction
            disabled={!station.online}
            leftSection={<Icon name="key" size={13} />}
            title={`Give ${station.name} a new key?`}
            text="A random key is made and told to the station; nobody is shown it. It signs in with it from then on."
            confirm="Give it a new key"
            act={async () => check(await sendJson<SecurityCall>('POST', pathOf(station.id, '/password')))}
            onDone={() => {
              tellDone('The station has its new key.')
              void again()
            }}
          >
            New key
          </ConfirmAction>
          {securityProfile < 3 && <Raise station={station} />}
          {pendingSecurityProfile !== null && (
            <ConfirmAction
              title="Stop waiting for the higher profile?"
              text="The station is let in with its old profile only."
              confirm="Stop waiting"
              act={() => sendJson('DELETE', pathOf(station.id, '/security-profile'))}
              onDone={() => void again()}
            >
              Stop waiting
            </ConfirmAction>
          )}
          <PendingButton
            variant="default"
            done
            pendingText="Asking …"
            data-disabled={!station.online || undefined}
            leftSection={<Icon name="refresh" size={13} />}
            act={async () => {
              await call(station.id, 'ExtendedTriggerMessage', {
                requestedMessage: 'SignChargePointCertificate',
              })
              await queries.invalidateQueries({ queryKey: ['stations', station.id] })
              tellDone('The station asks for a certificate; its request shows below.')
            }}
          >
            Renew its certificate
          </PendingButton>
        </Group>
      )}
    </Section>
  )
}

function Raise({ station }: { station: Station }) {
  const queries = useQueryClient()
  const [opened, setOpened] = useState(false)
  const [profile, setProfile] = useState(String(station.securityProfile + 1))
  return (
    <>
      <Button
        variant="default"
        disabled={!station.online}
        leftSection={<Icon name="shield" size={13} />}
        onClick={() => setOpened(true)}
      >
        Raise the profile
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Raise the security profile">
        <Stack gap="sm">
          <Select
            label="To"
            allowDeselect={false}
            value={profile}
            onChange={(value) => setProfile(value ?? profile)}
            data={PROFILES.map((label, value) => ({ value: String(value), label })).filter(
              ({ value }) => Number(value) > station.securityProfile,
            )}
          />
          <Text size="sm" c="dimmed">
            The station is told, restarts and comes back with it. From then on a lower one is refused. It
            needs the key or certificates for it first, and our TLS port.
          </Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => setOpened(false)}>
              Cancel
            </Button>
            <PendingButton
              done
              pendingText="Telling …"
              act={async () => {
                check(
                  await sendJson<SecurityCall>('POST', pathOf(station.id, '/security-profile'), {
                    securityProfile: Number(profile),
                  }),
                )
                await queries.invalidateQueries({ queryKey: ['stations', station.id], exact: true })
                setOpened(false)
              }}
            >
              Raise
            </PendingButton>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}

const TYPES: Readonly<Record<string, string>> = {
  ChargePointCertificate: "The station's own",
  CentralSystemRootCertificate: 'Root it trusts for us',
  ManufacturerRootCertificate: 'Root it trusts for firmware',
}

function Certificates({ station, mayAct }: { station: Station; mayAct: boolean }) {
  const queries = useQueryClient()
  const list = useListing<Certificate>(pathOf(station.id, '/certificates'), 10)
  const again = () => queries.invalidateQueries({ queryKey: ['stations', station.id, 'certificates'] })
  const ask = (certificateType: string) =>
    // a station without any answers NotFound
    call(station.id, 'GetInstalledCertificateIds', { certificateType }, ['NotFound'])
  return (
    <Section
      title="Certificates"
      actions={
        mayAct &&
        station.online && (
          <>
            <InstallRoot station={station} installed={list.items ?? []} done={again} />
            <PendingButton
              variant="default"
              done
              pendingText="Reading …"
              leftSection={<Icon name="refresh" size={13} />}
              act={async () => {
                await ask('CentralSystemRootCertificate')
                await ask('ManufacturerRootCertificate')
                await again()
              }}
            >
              Read from the station
            </PendingButton>
          </>
        )
      }
    >
      <Listing
        label="Certificates"
        list={list}
        rowKey={(row) => `${row.certificateType} ${row.serialNumber} ${row.issuerKeyHash}`}
        empty="No certificate of this station is known."
        columns={[
          { header: 'What', cell: (row) => TYPES[row.certificateType] ?? row.certificateType },
          {
            header: 'Subject',
            cell: (row) => (
              <>
                {row.subject ?? <span className="dimmed">not known</span>}
                {row.issuer && row.issuer !== row.subject && (
                  <div className="dimmed">signed by {row.issuer}</div>
                )}
                <div className={`dimmed ${classes.mono}`}>{row.serialNumber}</div>
              </>
            ),
          },
          { header: 'State', fixed: true, cell: (row) => <CertificateState certificate={row} /> },
          {
            header: 'Ends',
            align: 'right',
            cell: (row) =>
              row.expiresAt === null ? <span className="dimmed">not known</span> : <Ago at={row.expiresAt} />,
          },
          {
            header: '',
            align: 'right',
            cell: (row) => mayAct && <CertificateAction station={station} certificate={row} list={list} />,
          },
        ]}
      />
    </Section>
  )
}

function CertificateState({ certificate }: { certificate: Certificate }) {
  const now = useNow()
  const { tone, text, seen } = certificateState(certificate, now)
  return (
    <>
      <StatusBadge status={null} tone={tone} text={text} />
      {seen && (
        <div className="dimmed">
          {seen.words} <Ago at={seen.at} />
        </div>
      )}
    </>
  )
}

type Root = components['schemas']['RootOut']

/** Has the station trust our authority; shown while there is a root that it does not have. */
function InstallRoot({
  station,
  installed,
  done,
}: {
  station: Station
  installed: readonly Certificate[]
  done: () => Promise<unknown>
}) {
  const roots = useQuery({
    queryKey: ['certificate-authority', 'roots'],
    queryFn: async () => (await sendJson<{ items: Root[] }>('GET', '/api/certificate-authority/roots')).items,
    staleTime: 60_000,
  })
  const known = new Set(installed.map(({ serialNumber }) => serialNumber))
  const missing = roots.data?.find(({ serialNumber }) => !known.has(serialNumber))
  if (missing === undefined) return null
  return (
    <PendingButton
      variant="default"
      done
      pendingText="Installing …"
      leftSection={<Icon name="shield" size={13} />}
      act={async () => {
        const { certificateType, certificate } = missing
        await call(station.id, 'InstallCertificate', { certificateType, certificate })
        await done()
        tellDone('The station trusts our authority.')
      }}
    >
      Install our root
    </PendingButton>
  )
}

interface CertificateActionProps {
  station: Station
  certificate: Certificate
  list: { refetch: () => unknown }
}

function CertificateAction({ station, certificate, list }: CertificateActionProps) {
  const { certificateType, serialNumber, revokedAt, hashAlgorithm, issuerNameHash, issuerKeyHash } =
    certificate
  if (certificateType === 'ChargePointCertificate') {
    if (revokedAt) return null
    return (
      <ConfirmAction
        size="compact-xs"
        title="Revoke this certificate?"
        text="Whoever shows it is refused from then on, the station too, until it has a new one. This cannot be undone."
        confirm="Revoke"
        act={() =>
          sendJson('POST', pathOf(station.id, `/certificates/${encodeURIComponent(serialNumber)}/revoke`), {})
        }
        onDone={() => void list.refetch()}
      >
        Revoke
      </ConfirmAction>
    )
  }
  if (!station.online || !hashAlgorithm || !issuerNameHash || !issuerKeyHash) return null
  return (
    <ConfirmAction
      size="compact-xs"
      title="Let the station forget this root?"
      text="It trusts nothing any more that was signed by it. A station that trusts nobody for us cannot come back over TLS."
      confirm="Delete at the station"
      act={() =>
        call(station.id, 'DeleteCertificate', {
          certificateHashData: { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber },
        })
      }
      onDone={() => void list.refetch()}
    >
      Delete
    </ConfirmAction>
  )
}

const REQUEST_TONES: Readonly<Record<string, Tone>> = {
  requested: 'busy',
  issued: 'busy',
  installed: 'good',
  refused: 'bad',
  rejected: 'bad',
  failed: 'bad',
  superseded: 'idle',
}

function SigningRequests({ station }: { station: Station }) {
  const list = useListing<SigningRequest>(pathOf(station.id, '/certificate-requests'), 10)
  if (list.items?.length === 0) return null
  return (
    <Section title="Requests for certificates">
      <Listing
        label="Requests for certificates"
        list={list}
        rowKey={(row) => row.requestId}
        empty=""
        columns={[
          { header: 'When', fixed: true, cell: (row) => <Ago at={row.receivedAt} /> },
          { header: 'For', cell: (row) => row.commonName },
          {
            header: 'State',
            cell: (row) => (
              <>
                <StatusBadge
                  status={row.state}
                  tone={REQUEST_TONES[row.state] ?? 'idle'}
                  text={row.state.charAt(0).toUpperCase() + row.state.slice(1)}
                />
                {row.detail && <div className="dimmed">{row.detail}</div>}
              </>
            ),
          },
          { header: 'Ends', align: 'right', cell: (row) => <Ago at={row.expiresAt} /> },
        ]}
      />
    </Section>
  )
}

function Events({ station }: { station: Station }) {
  const list = useListing<SecurityEvent>(pathOf(station.id, '/security-events'), 10)
  return (
    <Section title="Security events" about="Told by the station, or seen by us.">
      <Listing
        label="Security events"
        list={list}
        rowKey={(row, index) => `${row.at} ${row.type} ${index}`}
        empty="Nothing has happened."
        columns={[
          { header: 'When', fixed: true, cell: (row) => <Ago at={row.at} /> },
          {
            header: 'What',
            cell: (row) => <StatusBadge status={row.type} tone={row.critical ? 'bad' : 'idle'} />,
          },
          { header: 'Told along', cell: (row) => row.techInfo },
          {
            header: 'By',
            extra: true,
            cell: (row) => (row.source === 'station' ? 'the station' : 'this system'),
          },
        ]}
      />
    </Section>
  )
}
