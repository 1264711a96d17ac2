import { useQuery, useQueryClient } from '@tanstack/react-query'
import { sendJson } from '@/api/client'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { useNow } from '@/parts/clock'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { PendingButton } from '@/parts/PendingButton'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import { certificateState } from './certificates'
import { call, pathOf, type Station } from './data'
import classes from './station.module.css'

type Certificate = components['schemas']['CertificateOut']

const TYPES: Readonly<Record<string, string>> = {
  ChargePointCertificate: "The station's own",
  CentralSystemRootCertificate: 'Root it trusts for us',
  ManufacturerRootCertificate: 'Root it trusts for firmware',
}

/** The certificates that a station has, as far as it is known, and what can be done with them. */
export function Certificates({ station, mayAct }: { station: Station; mayAct: boolean }) {
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
