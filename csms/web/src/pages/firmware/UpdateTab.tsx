import { Alert, Group, NumberInput, Select, Switch, Text, TextInput } from '@mantine/core'
import { useNavigate, useRouterState, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useSiteFilter } from '@/app/site'
import { useLoaded, useStations } from '@/live/hooks'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { EmptyState } from '@/parts/EmptyState'
import { count, exactTime } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import tables from '@/parts/tables.module.css'
import type { BulkJob } from '../stationbulk/jobs'
import { rowOf } from '../stations/rows'
import { forWhom, type Image, installing, useImages } from './images'
import { Rollouts } from './Rollouts'
import { type Candidate, candidates } from './rollout'

const MOST_SHOWN = 300

/** One image to many stations: which it fits, with what they run now, and how many at a time. */
export function UpdateTab() {
  const images = useImages()
  const navigate = useNavigate()
  const search = useSearch({ strict: false }) as { image?: string }
  const image = images.data?.find(({ id }) => id === String(search.image)) ?? null
  if (images.error) return <ProblemNotice problem={images.error} retry={() => void images.refetch()} />
  if (images.data?.length === 0)
    return (
      <EmptyState
        icon="upload"
        title="There is no image to install"
        action={<PageLink to="/firmware">Bring one first</PageLink>}
      />
    )
  return (
    <>
      <Section
        title="What"
        about="Stations fetch the image from here, install it and restart; each reports how far it is."
      >
        <Select
          mt="xs"
          maw={460}
          aria-label="Image"
          placeholder="Choose an image"
          searchable
          value={image?.id ?? null}
          onChange={(value) =>
            void navigate({
              to: '.',
              search: ((before: object) => ({ ...before, image: value ?? undefined })) as never,
              state: true,
              replace: true,
            })
          }
          data={(images.data ?? []).map((each) => ({
            value: each.id,
            label: `${each.name}${each.version ? ` ${each.version}` : ''} – for ${forWhom(each)}`,
          }))}
        />
        {image?.signatureValid === false && (
          <Alert color="yellow" variant="light" mt="sm" maw={640} icon={<Icon name="alert" />}>
            Its signature does not hold, so it is installed the plain way, without the station checking it.
          </Alert>
        )}
        {image !== null && image.version === null && (
          <Text size="sm" c="dimmed" mt="xs">
            Its version is not said, so nobody can tell here who runs it already.
          </Text>
        )}
      </Section>
      {image && <Whom key={image.id} image={image} />}
      <Rollouts images={images.data ?? []} />
    </>
  )
}

function Whom({ image }: { image: Image }) {
  const stations = useStations()
  const loaded = useLoaded('stations')
  const [site] = useSiteFilter()
  const handed = useRouterState({
    select: (state) => (state.location.state as { stations?: readonly string[] }).stations,
  })
  const navigate = useNavigate()
  const [left, setLeft] = useState<ReadonlySet<string>>(NOBODY)
  const [again, setAgain] = useState(false)
  const [busyToo, setBusyToo] = useState(false)
  const [oneByOne, setOneByOne] = useState(true)
  const [atOnce, setAtOnce] = useState<number | string>(5)
  const [from, setFrom] = useState('')
  const found = useMemo(
    () => candidates(stations.map(rowOf), image, { site, only: handed ?? null }),
    [stations, image, site, handed],
  )
  const shown = found.filter(({ runsIt }) => again || !runsIt)
  const chosen = shown.filter(({ row }) => row.station.online && !left.has(row.station.id))
  const going = busyToo ? chosen : chosen.filter(({ row }) => row.charging === 0)
  const already = found.length - shown.length
  const offline = shown.filter(({ row }) => !row.station.online).length
  const start = from === '' ? null : new Date(from)
  const number = Math.min(100, Math.max(1, Math.round(Number(atOnce)) || 1))

  const toggle = (id: string) => {
    const next = new Set(left)
    if (!next.delete(id)) next.add(id)
    setLeft(next)
  }

  async function begin() {
    const { action, payload } = installing(image, start)
    const job = await sendJson<BulkJob>('POST', '/api/bulk', {
      action,
      payload,
      stations: { ids: going.map(({ row }) => row.station.id) },
      concurrency: number,
      skipBusy: !busyToo,
      awaitJobs: oneByOne && start === null,
    })
    void navigate({ to: '/bulk/$jobId', params: { jobId: job.id } as never })
  }

  if (loaded && found.length === 0)
    return (
      <EmptyState icon="station" title={`No station ${handed ? 'of those chosen ' : ''}is a fit`}>
        It is for {forWhom(image)}; stations say at their start what they are.
      </EmptyState>
    )
  return (
    <Section title="Which stations">
      <p className="dimmed num" role="status" style={{ margin: '6px 0' }}>
        {count(found.length)} {found.length === 1 ? 'fits' : 'fit'}
        {already > 0 && `, ${count(already)} of them ${already === 1 ? 'runs' : 'run'} it already`}
        {offline > 0 && `, ${count(offline)} offline`}
        {handed && ', out of those that were chosen'}
      </p>
      <Group gap="lg">
        {image.version !== null && (
          <Switch
            label="Those that run it already, too"
            checked={again}
            onChange={(event) => setAgain(event.currentTarget.checked)}
          />
        )}
        <Switch
          label="Those that are charging, too"
          checked={busyToo}
          onChange={(event) => setBusyToo(event.currentTarget.checked)}
        />
      </Group>
      {shown.length > 0 && (
        <Scroller label="Stations that it fits" height={420}>
          <table className={`${tables.table} ${tables.middle}`}>
            <thead>
              <tr>
                <th scope="col" style={{ width: 32 }}>
                  <input
                    type="checkbox"
                    className="row-box"
                    aria-label="Choose all that are shown"
                    checked={left.size === 0}
                    onChange={() =>
                      setLeft(left.size === 0 ? new Set(shown.map(({ row }) => row.station.id)) : NOBODY)
                    }
                  />
                </th>
                <th scope="col">Station</th>
                <th scope="col">Runs now</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {shown.slice(0, MOST_SHOWN).map((each) => (
                <Row
                  key={each.row.station.id}
                  candidate={each}
                  chosen={!left.has(each.row.station.id)}
                  skipped={!busyToo && each.row.charging > 0}
                  toggle={toggle}
                />
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
      {shown.length > MOST_SHOWN && (
        <p className="dimmed">and {count(shown.length - MOST_SHOWN)} more, which are chosen too</p>
      )}
      <Group align="flex-end" gap="sm" mt="md">
        <TextInput
          label="From (empty: now)"
          type="datetime-local"
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <NumberInput
          label="Stations at a time"
          w={150}
          min={1}
          max={100}
          allowDecimal={false}
          value={atOnce}
          onChange={setAtOnce}
        />
        <ConfirmAction
          variant="filled"
          disabled={going.length === 0}
          leftSection={<Icon name="upload" size={13} />}
          title={`Install ${image.name} at ${count(going.length)} ${going.length === 1 ? 'station' : 'stations'}?`}
          text={
            <>
              {start === null ? 'They fetch it now' : `They fetch it from ${exactTime(start.getTime())}`},{' '}
              {count(number)} at a time, install it and restart.{' '}
              {busyToo ? (
                <b>Running sessions may end.</b>
              ) : (
                'Who begins to charge meanwhile is left out when its turn comes.'
              )}
            </>
          }
          confirm="Install"
          act={begin}
        >
          Update {count(going.length)} {going.length === 1 ? 'station' : 'stations'}
        </ConfirmAction>
      </Group>
      <Switch
        mt="sm"
        label="The next one begins when one has ended (installed, or failed)"
        disabled={start !== null}
        checked={oneByOne && start === null}
        onChange={(event) => setOneByOne(event.currentTarget.checked)}
      />
      {going.length === 0 && (
        <Text size="sm" c="dimmed" mt="xs" role="note">
          {chosen.length > 0
            ? 'All that are chosen are charging now.'
            : 'Nobody would get it: choose stations that are online.'}
        </Text>
      )}
    </Section>
  )
}

const NOBODY: ReadonlySet<string> = new Set()

interface RowProps {
  candidate: Candidate
  chosen: boolean
  skipped: boolean
  toggle: (id: string) => void
}

function Row({ candidate: { row, runsIt }, chosen, skipped, toggle }: RowProps) {
  const { station, state } = row
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          className="row-box"
          aria-label={`Choose ${station.name}`}
          checked={chosen && station.online}
          disabled={!station.online}
          onChange={() => toggle(station.id)}
        />
      </td>
      <td>
        <PageLink to="/stations/$stationId" params={{ stationId: station.id }} className="row-link">
          {station.name}
        </PageLink>
        {station.name !== station.id && <span className="dimmed"> {station.id}</span>}
      </td>
      <td>
        {station.firmwareVersion ?? <span className="dimmed">not told</span>}
        {runsIt && <span className="dimmed"> – this one</span>}
      </td>
      <td>
        <StatusBadge status={state === 'unknown' ? null : state} />
        {skipped && <span className="dimmed"> – left out while it charges</span>}
      </td>
    </tr>
  )
}
