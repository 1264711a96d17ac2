import { Button, Group, Loader, SegmentedControl } from '@mantine/core'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { count, percent } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellProblem } from '@/parts/notices'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Section } from '@/parts/Section'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import { stationColumn } from '@/parts/stationColumn'
import { ToneBar } from '@/parts/ToneBar'
import { OutcomeBadge, outcomeText, outcomeTone } from '../stationcalls/Answer'
import forms from '../stationcalls/calls.module.css'
import { type BulkJob, type BulkStation, progressOf, statusWords, useJob } from './jobs'
import { JobState } from './page'

/** One call to many stations: how far it is, and what each has answered. */
export default function JobPage() {
  const { jobId = '' } = useParams({ strict: false }) as { jobId?: string }
  const found = useJob(jobId)
  if (found.error) return <ProblemNotice problem={found.error} retry={() => void found.refetch()} />
  if (found.data === undefined) return <Loader aria-label="Loading" />
  return <JobView job={found.data} again={() => void found.refetch()} />
}

function JobView({ job, again }: { job: BulkJob; again: () => void }) {
  const { may } = useMe()
  const done = progressOf(job)
  const running = job.state === 'running'
  return (
    <>
      <PageHeader
        title={`${job.action} to ${count(job.total)} ${job.total === 1 ? 'station' : 'stations'}`}
        beside={<JobState job={job} />}
        subtitle={
          <>
            <PageLink to="/bulk">Calls to many stations</PageLink> · by {job.operator},{' '}
            <Ago at={job.createdAt} />, {job.concurrency} at a time
          </>
        }
        actions={
          may('operator') && (
            <>
              {running && (
                <ConfirmAction
                  leftSection={<Icon name="stop" size={13} />}
                  title="Send to nobody more?"
                  text="What is on its way is waited for; what was done stays done."
                  confirm="Stop sending"
                  act={() => sendJson('POST', `/api/bulk/${encodeURIComponent(job.id)}/cancel`, {})}
                  onDone={again}
                >
                  Stop sending
                </ConfirmAction>
              )}
              {!running && <Again job={job} />}
            </>
          )
        }
      />
      <Section title={`${percent(done * 100)} ${job.action in BEGINS ? 'asked' : 'done'}`}>
        <ToneBar
          progress={{
            label: 'Stations with an outcome',
            value: job.total - job.waiting,
            max: job.total,
          }}
          parts={[
            ...Object.entries(job.outcomes).map(([outcome, times]) => ({
              key: outcome,
              tone: outcomeTone(outcome),
              size: times,
            })),
            { key: 'waiting', tone: 'none', size: job.waiting },
          ]}
        />
        <Group gap="md" mt="xs">
          {Object.entries(job.outcomes).map(([outcome, times]) => (
            <span key={outcome} className="num">
              <OutcomeBadge outcome={outcome} status={null} /> <b>{count(times)}</b>
            </span>
          ))}
          {job.waiting > 0 && <span className="dimmed num">{count(job.waiting)} waiting</span>}
        </Group>
        <details style={{ marginTop: 8 }}>
          <summary>What was sent</summary>
          <pre className={forms.json}>{JSON.stringify(job.payload, null, 2)}</pre>
        </details>
      </Section>
      <Outcomes job={job} />
    </>
  )
}

function Outcomes({ job }: { job: BulkJob }) {
  const [only, setOnly] = useState('')
  const path = `/api/bulk/${encodeURIComponent(job.id)}/stations`
  const list = useListing<BulkStation>(
    only === '' ? path : `${path}?outcome=${encodeURIComponent(only)}`,
    job.state === 'running' || job.action in BEGINS ? 2 : 60,
  )
  const { refetch } = list
  // its end is told by the job; the list is then asked once more
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the state
  useEffect(() => void refetch(), [job.state, refetch])
  const kinds = [...Object.keys(job.outcomes), ...(job.waiting > 0 ? ['waiting'] : [])]
  return (
    <Section
      title="Stations"
      actions={
        kinds.length > 1 && (
          <SegmentedControl
            size="xs"
            aria-label="Outcome"
            value={only}
            onChange={setOnly}
            data={[
              { value: '', label: 'All' },
              ...kinds.map((kind) => ({
                value: kind,
                label: kind === 'waiting' ? 'Waiting' : outcomeText(kind),
              })),
            ]}
          />
        )
      }
    >
      <Listing
        label="Stations"
        list={list}
        rowKey={(row) => row.stationId}
        empty="No station has this outcome."
        columns={[
          stationColumn('calls'),
          {
            header: 'Outcome',
            fixed: true,
            cell: (row) => <OutcomeBadge outcome={row.outcome} status={row.status} />,
          },
          ...(job.action in BEGINS
            ? [
                {
                  header: BEGINS[job.action] ?? '',
                  fixed: true,
                  cell: (row: BulkStation) =>
                    row.job && (
                      <>
                        <StatusBadge
                          status={row.job.state}
                          tone={JOB_TONES[row.job.state] ?? 'idle'}
                          text={statusWords(row.job.status ?? row.job.state)}
                        />{' '}
                        <span className="dimmed">
                          <Ago at={row.job.at} />
                        </span>
                      </>
                    ),
                },
              ]
            : []),
          ...(job.action.endsWith('UpdateFirmware')
            ? [{ header: 'Runs now', cell: (row: BulkStation) => row.firmwareVersion ?? '–' }]
            : []),
          { header: 'Told along', cell: (row) => row.detail },
          { header: 'When', align: 'right', cell: (row) => <Ago at={row.endedAt} /> },
        ]}
      />
    </Section>
  )
}

/** Calls that begin something which then takes its time: what it is called in the list. */
const BEGINS: Readonly<Record<string, string>> = {
  UpdateFirmware: 'Update',
  SignedUpdateFirmware: 'Update',
  GetDiagnostics: 'Diagnostics',
  GetLog: 'Log',
}

const JOB_TONES: Readonly<Record<string, Tone>> = { running: 'busy', done: 'good', failed: 'bad' }

/** The same call to those that have not accepted it. */
function Again({ job }: { job: BulkJob }) {
  const navigate = useNavigate()
  const [busy, setBusy] = useState(false)
  const failed = Object.entries(job.outcomes).filter(([outcome]) => outcome !== 'accepted')
  if (failed.length === 0) return null

  async function go() {
    setBusy(true)
    try {
      const ids: string[] = []
      for (const [outcome] of failed) {
        let cursor: string | null = null
        do {
          const search = new URLSearchParams({ outcome, limit: '1000', ...(cursor ? { cursor } : {}) })
          const page: { items: BulkStation[]; nextCursor: string | null } = await sendJson(
            'GET',
            `/api/bulk/${encodeURIComponent(job.id)}/stations?${search}`,
          )
          ids.push(...page.items.map(({ stationId }) => stationId))
          cursor = page.nextCursor
        } while (cursor !== null)
      }
      void navigate({
        to: '/bulk/new',
        search: { action: job.action } as never,
        state: { stations: ids, payload: job.payload } as never,
      })
    } catch (error) {
      tellProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Button variant="default" loading={busy} onClick={() => void go()}>
      Again to the others
    </Button>
  )
}
