import { Anchor, Button, Group, Select, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ok } from '@/api/client'
import { useMe } from '@/api/me'
import type { components } from '@/api/schema'
import { hasPage } from '@/app/pages'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { exactTime } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { PageLink } from '@/parts/PageLink'
import { PendingButton } from '@/parts/PendingButton'
import { Section } from '@/parts/Section'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import tables from '@/parts/tables.module.css'
import { bytes } from './bytes'
import { call, type Job, pathOf, type Station } from './data'
import classes from './station.module.css'

type Image = components['schemas']['FirmwareOut']

/** Where images are brought to. */
const PLACE = ['/firmware', '/files'].find(hasPage)

const KINDS: Readonly<Record<string, string>> = {
  firmware: 'Firmware update',
  diagnostics: 'Diagnostics',
  log: 'Log',
}

const STATES: Readonly<Record<string, Tone>> = { running: 'busy', done: 'good', failed: 'bad' }

/** Updates and files: what runs, what has become of it, what came of it. */
export function FirmwareTab({ station }: { station: Station }) {
  const { may } = useMe()
  const jobs = useListing<Job>(pathOf(station.id, '/jobs'), 4)
  return (
    <>
      {may('operator') && <Update station={station} jobs={jobs.items ?? []} />}
      <Section
        title="Jobs"
        about="Updates, diagnostics and logs that were asked for, with every report of the station."
        actions={may('operator') && station.online && <Fetch station={station} />}
      >
        <Listing
          label="Jobs"
          list={jobs}
          rowKey={(row) => row.jobId}
          empty="No job has been given to this station yet."
          columns={[
            { header: 'Job', cell: (row) => KINDS[row.kind] ?? row.kind },
            {
              header: 'State',
              fixed: true,
              cell: (row) => (
                <StatusBadge
                  status={row.state}
                  tone={STATES[row.state] ?? 'idle'}
                  text={row.status ?? row.state}
                />
              ),
            },
            {
              header: 'Reports',
              cell: (row) => (
                <ol style={{ margin: 0, paddingLeft: 18 }}>
                  {row.history.map((report) => (
                    <li key={`${report.at} ${report.status}`}>
                      {report.status}{' '}
                      <span className="dimmed">
                        <Ago at={report.at} />
                      </span>
                    </li>
                  ))}
                </ol>
              ),
            },
            { header: 'Files', cell: (row) => <Files job={row} /> },
          ]}
        />
      </Section>
    </>
  )
}

function Files({ job }: { job: Job }) {
  if (job.fileMissing)
    return <span className={classes.error}>The station says that it has sent one; none has come.</span>
  return (
    <>
      {job.files.map((file) => (
        <div key={file.id}>
          <Anchor href={file.url} size="sm">
            {file.label || file.name}
          </Anchor>{' '}
          <span className="dimmed num">
            {bytes(file.sizeBytes)}
            {!file.complete && ', not whole'}
          </span>
        </div>
      ))}
    </>
  )
}

function Fetch({ station }: { station: Station }) {
  const queries = useQueryClient()
  const ask = (action: string, body: Record<string, unknown>) => async () => {
    await call(station.id, action, body)
    await queries.invalidateQueries({ queryKey: ['stations', station.id, 'jobs'] })
  }
  return (
    <>
      <PendingButton variant="default" done pendingText="Asking …" act={ask('GetDiagnostics', {})}>
        Fetch diagnostics
      </PendingButton>
      <PendingButton
        variant="default"
        done
        pendingText="Asking …"
        act={ask('GetLog', { logType: 'SecurityLog', log: {} })}
      >
        Fetch the security log
      </PendingButton>
    </>
  )
}

function fits(image: Image, station: Station): boolean {
  return (
    (image.vendor === null || image.vendor === station.vendor) &&
    (image.model === null || image.model === station.model)
  )
}

/** Chooses an image and lets the station install it. */
function Update({ station, jobs }: { station: Station; jobs: readonly Job[] }) {
  const queries = useQueryClient()
  const images = useQuery({
    queryKey: ['firmware', 'choice'],
    queryFn: async () => (await ok(api.GET('/api/firmware'))).items,
  })
  const [chosen, setChosen] = useState<string | null>(null)
  const [from, setFrom] = useState('')
  const fitting = (images.data ?? []).filter((image) => fits(image, station))
  const image = fitting.find(({ id }) => id === chosen) ?? null
  const signed = image?.signatureValid === true
  const running = jobs.find((job) => job.state === 'running' && job.kind.toLowerCase().includes('firmware'))

  async function install() {
    if (image === null) return
    const at = from === '' ? {} : { at: new Date(from).toISOString() }
    await call(
      station.id,
      signed ? 'SignedUpdateFirmware' : 'UpdateFirmware',
      signed
        ? { firmwareId: image.id, firmware: at.at ? { installDateTime: at.at } : {} }
        : { firmwareId: image.id, ...(at.at ? { retrieveDate: at.at } : {}) },
    )
    await queries.invalidateQueries({ queryKey: ['stations', station.id] })
  }

  return (
    <Section
      title="Update the firmware"
      about={`It runs ${station.firmwareVersion ?? 'a version that it has not told'}.`}
    >
      {images.data && fitting.length === 0 ? (
        <p className={tables.none}>
          No image fits {[station.vendor, station.model].filter(Boolean).join(' ') || 'this station'}.{' '}
          {PLACE ? <PageLink to={PLACE}>Bring one</PageLink> : 'Bring one with POST /api/firmware'}.
        </p>
      ) : (
        <Group align="flex-end" gap="sm" mt="xs">
          <Select
            label="Image"
            placeholder="Choose"
            w={{ base: '100%', xs: 320 }}
            value={chosen}
            onChange={setChosen}
            data={fitting.map((each) => ({
              value: each.id,
              label: `${each.name} ${each.version ?? ''} (${bytes(each.sizeBytes)}${each.signatureValid ? ', signed' : ''})`,
            }))}
          />
          <TextInput
            label="From (empty: now)"
            type="datetime-local"
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          {image === null || !station.online ? (
            <Button disabled leftSection={<Icon name="upload" size={13} />}>
              Install
            </Button>
          ) : (
            <ConfirmAction
              variant="filled"
              leftSection={<Icon name="upload" size={13} />}
              title={`Install ${image.name} at ${station.name}?`}
              text={`The station fetches it ${from === '' ? 'now' : `from ${exactTime(new Date(from).getTime())}`}, installs it and restarts. Sessions there may end.`}
              confirm="Install"
              act={install}
              onDone={() => tellDone('The station has taken the job; its reports show below.')}
            >
              Install
            </ConfirmAction>
          )}
        </Group>
      )}
      {running && (
        <Text size="sm" mt="xs" role="status">
          An update runs: {running.status ?? 'begun'}.
        </Text>
      )}
    </Section>
  )
}
