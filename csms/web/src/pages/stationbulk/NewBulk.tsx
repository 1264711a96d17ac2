import {
  Autocomplete,
  Button,
  Group,
  Loader,
  NumberInput,
  Radio,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core'
import { useNavigate, useRouterState, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { asProblem, Problem } from '@/api/problem'
import { useSites, useStations } from '@/live/hooks'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { EmptyState } from '@/parts/EmptyState'
import { count } from '@/parts/format'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import tables from '@/parts/tables.module.css'
import { type Action, byProfile, useActions, useSchema } from '../stationcalls/catalogue'
import { PayloadFields } from '../stationcalls/PayloadFields'
import type { Schema } from '../stationcalls/schema'
import { usePayload } from '../stationcalls/usePayload'
import { type BulkJob, type Criteria, type Preview, selectionOf } from './jobs'

/** What the page that leads here hands over; it stays with the entry of the browser's history. */
interface Handed {
  stations?: readonly string[]
  payload?: unknown
}

/** One call to many stations: whom, what, seen before it is sent. */
export default function NewBulkPage() {
  const { may } = useMe()
  const handed = useRouterState({ select: (state) => state.location.state as Handed })
  const search = useSearch({ strict: false }) as { action?: string }
  const navigate = useNavigate()
  const actions = useActions()
  const ids = handed.stations ?? NONE
  const [criteria, setCriteria] = useState<Criteria>(() => ({
    who: ids.length > 0 ? 'chosen' : 'matching',
    ids,
    siteId: '',
    vendor: '',
    model: '',
    firmwareVersion: '',
    text: '',
    online: true,
  }))
  const action = actions.data?.find((each) => each.action === search.action) ?? null

  if (!may('operator')) return <EmptyState icon="lock" title="Only operators send calls" />
  return (
    <>
      <PageHeader
        title="New call to many stations"
        subtitle={<PageLink to="/bulk">Calls to many stations</PageLink>}
      />
      <Section title="To whom">
        <Whom criteria={criteria} set={setCriteria} />
      </Section>
      <Section title="What" {...(action ? { about: action.about } : {})}>
        <Select
          mt="xs"
          maw={420}
          aria-label="Call"
          placeholder="Choose a call"
          searchable
          allowDeselect={false}
          value={action?.action ?? null}
          onChange={(chosen) =>
            void navigate({
              to: '.',
              search: ((before: object) => ({ ...before, action: chosen })) as never,
              state: true,
              replace: true,
            })
          }
          data={byProfile(actions.data ?? []).map(([group, found]) => ({
            group,
            items: found.map((each) => ({ value: each.action, label: `${each.title} (${each.action})` })),
          }))}
        />
        {action && <What key={action.action} action={action} criteria={criteria} start={handed.payload} />}
      </Section>
    </>
  )
}

const NONE: readonly string[] = []

function Whom({ criteria, set }: { criteria: Criteria; set: (criteria: Criteria) => void }) {
  const stations = useStations()
  const sites = useSites()
  const known = useMemo(() => {
    const of = (name: 'vendor' | 'model' | 'firmwareVersion') =>
      [...new Set(stations.flatMap((each) => (each[name] ? [each[name] as string] : [])))].sort()
    return { vendor: of('vendor'), model: of('model'), firmwareVersion: of('firmwareVersion') }
  }, [stations])
  const change = (part: Partial<Criteria>) => set({ ...criteria, ...part })
  return (
    <Stack gap="sm" mt="xs">
      <Radio.Group
        aria-label="To whom"
        value={criteria.who}
        onChange={(who) => change({ who: who as Criteria['who'] })}
      >
        <Group gap="lg">
          {criteria.ids.length > 0 && (
            <Radio value="chosen" label={`The ${count(criteria.ids.length)} chosen in the list`} />
          )}
          <Radio value="matching" label="All that match" />
          <Radio value="all" label={`All ${count(stations.length)}`} />
        </Group>
      </Radio.Group>
      {criteria.who === 'matching' && (
        <Group gap="sm" align="flex-end">
          <Select
            label="Site"
            placeholder="Any"
            clearable
            w={180}
            value={criteria.siteId || null}
            onChange={(siteId) => change({ siteId: siteId ?? '' })}
            data={sites.map(({ id, name }) => ({ value: id, label: name }))}
          />
          <Autocomplete
            label="Vendor"
            w={150}
            value={criteria.vendor}
            onChange={(vendor) => change({ vendor })}
            data={known.vendor}
          />
          <Autocomplete
            label="Model"
            w={150}
            value={criteria.model}
            onChange={(model) => change({ model })}
            data={known.model}
          />
          <Autocomplete
            label="Firmware"
            w={130}
            value={criteria.firmwareVersion}
            onChange={(firmwareVersion) => change({ firmwareVersion })}
            data={known.firmwareVersion}
          />
          <TextInput
            label="In name or identity"
            w={160}
            value={criteria.text}
            onChange={(event) => change({ text: event.currentTarget.value })}
          />
        </Group>
      )}
      <Switch
        label="Only those that are online (others are not waited for anyway)"
        checked={criteria.online}
        onChange={(event) => change({ online: event.currentTarget.checked })}
      />
    </Stack>
  )
}

interface WhatProps {
  action: Action
  criteria: Criteria
  start: unknown
}

function What(props: WhatProps) {
  const schema = useSchema(props.action.action)
  if (schema.error) return <ProblemNotice problem={schema.error} retry={() => schema.refetch()} />
  if (schema.data === undefined) return <Loader aria-label="Loading" mt="sm" />
  return <Form {...props} schema={schema.data} />
}

function Form({ action, criteria, start, schema }: WhatProps & { schema: Schema }) {
  const navigate = useNavigate()
  const payload = usePayload(action.action, schema, start)
  const [atOnce, setAtOnce] = useState<number | string>(10)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [preview, setPreview] = useState<{ found: Preview; request: object } | null>(null)

  // what is shown holds for what was asked only
  const { draft, raw } = payload
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of any of these
  useEffect(() => setPreview(null), [criteria, draft, raw, atOnce])

  async function look() {
    const body = payload.build()
    const stations = selectionOf(criteria)
    setProblem(null)
    if (body === null) return
    if (stations === null) {
      setProblem(new Problem(422, 'nobody', 'Say which stations: give at least one thing that they match.'))
      return
    }
    const request = { action: action.action, payload: body, stations, concurrency: Number(atOnce) || 10 }
    setBusy(true)
    try {
      const found = await sendJson<Preview>('POST', '/api/bulk', { ...request, preview: true })
      setPreview({ found, request })
    } catch (error) {
      const said = asProblem(error)
      const paths = Object.entries(said.fields).map(([path, text]) => [path.replace(/^payload\./, ''), text])
      const own = new Problem(said.status, said.code, said.message, Object.fromEntries(paths))
      if (payload.blame(own) !== null || 'stations' in said.fields) setProblem(said)
    } finally {
      setBusy(false)
    }
  }

  async function begin() {
    if (preview === null) return
    const job = await sendJson<BulkJob>('POST', '/api/bulk', preview.request)
    void navigate({ to: '/bulk/$jobId', params: { jobId: job.id } as never })
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void look()
      }}
    >
      <div style={{ marginTop: 12 }}>
        <PayloadFields payload={payload} />
      </div>
      <Group mt="md" align="flex-end" gap="sm">
        <NumberInput
          label="Stations at a time"
          w={150}
          min={1}
          max={100}
          value={atOnce}
          onChange={setAtOnce}
        />
        <Button type="submit" variant={preview ? 'default' : 'filled'} loading={busy}>
          See who would get it
        </Button>
        {preview && preview.found.matched > 0 && (
          <ConfirmAction
            variant="filled"
            {...(action.disrupts ? { color: 'red' } : {})}
            title={`${action.title}: ${count(preview.found.matched)} stations?`}
            text={
              <>
                {action.about} It goes to each once, {String(atOnce)} at a time.
                {action.disrupts && preview.found.sessions > 0 && (
                  <b> {count(preview.found.sessions)} running sessions may end.</b>
                )}
              </>
            }
            confirm="Send"
            act={begin}
          >
            Send to {count(preview.found.matched)} stations
          </ConfirmAction>
        )}
      </Group>
      {problem && (
        <div style={{ marginTop: 12 }}>
          <ProblemNotice problem={problem} />
        </div>
      )}
      {preview && <Matched preview={preview.found} />}
    </form>
  )
}

const MOST_SHOWN = 200

function Matched({ preview }: { preview: Preview }) {
  const { matched, online, sessions, stations } = preview
  if (matched === 0)
    return (
      <Text mt="sm" role="status">
        No station matches. Nothing would be sent.
      </Text>
    )
  return (
    <div style={{ marginTop: 12 }}>
      <Text role="status">
        <b className="num">{count(matched)}</b> {matched === 1 ? 'station matches' : 'stations match'},{' '}
        {count(online)} online, {count(sessions)} {sessions === 1 ? 'session runs' : 'sessions run'} there.
      </Text>
      <Scroller label="Who would get it" height={360}>
        <table className={tables.table}>
          <thead>
            <tr>
              <th scope="col">Station</th>
              <th scope="col">State</th>
              <th scope="col" data-align="right">
                Sessions
              </th>
            </tr>
          </thead>
          <tbody>
            {stations.slice(0, MOST_SHOWN).map((each) => (
              <tr key={each.stationId}>
                <td>
                  {each.name}{' '}
                  {each.name !== each.stationId && <span className="dimmed">{each.stationId}</span>}
                </td>
                <td>
                  <StatusBadge status={each.online ? 'online' : 'offline'} />
                </td>
                <td data-align="right">{each.sessions || ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {matched > MOST_SHOWN && <p className="dimmed">and {count(matched - MOST_SHOWN)} more</p>}
    </div>
  )
}
