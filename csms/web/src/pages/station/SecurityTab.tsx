import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { PendingButton } from '@/parts/PendingButton'
import { Section } from '@/parts/Section'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import { Certificates } from './CertificateList'
import { call, check, pathOf, type Station } from './data'

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
