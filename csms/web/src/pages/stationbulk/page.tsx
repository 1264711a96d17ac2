import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMe } from '@/api/me'
import { Ago } from '@/parts/Ago'
import { count } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { type ListColumn, Listing, useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { StatusBadge } from '@/parts/StatusBadge'
import { outcomeText } from '../stationcalls/Answer'
import { type BulkJob, STATES } from './jobs'

/** Calls that went to many stations. */
export default function BulkPage() {
  const { may } = useMe()
  const list = useListing<BulkJob>('/api/bulk', 5)
  return (
    <>
      <PageHeader
        title="Calls to many stations"
        subtitle={<PageLink to="/stations">Stations</PageLink>}
        actions={
          may('operator') && (
            <Button component={Link} to="/bulk/new" leftSection={<Icon name="plus" size={14} />}>
              New
            </Button>
          )
        }
      />
      <div className="card" style={{ padding: '6px 14px 14px' }}>
        <Listing
          label="Jobs"
          list={list}
          rowKey={(row) => row.id}
          empty="No call has gone to many stations yet."
          columns={[
            {
              header: 'Call',
              cell: (row) => (
                <PageLink to="/bulk/$jobId" params={{ jobId: row.id }} className="row-link">
                  {row.action}
                </PageLink>
              ),
            },
            ...JOB_COLUMNS,
          ]}
        />
      </div>
    </>
  )
}

/** What a job is about besides its name, in lists of jobs. */
export const JOB_COLUMNS: readonly ListColumn<BulkJob>[] = [
  { header: 'State', cell: (row) => <JobState job={row} />, fixed: true },
  { header: 'Stations', align: 'right', cell: (row) => count(row.total) },
  {
    header: 'Outcomes',
    extra: true,
    cell: (row) =>
      Object.entries(row.outcomes)
        .map(([outcome, times]) => `${outcomeText(outcome)} ${count(times)}`)
        .join(', '),
  },
  { header: 'By', extra: true, cell: (row) => row.operator },
  { header: 'When', align: 'right', cell: (row) => <Ago at={row.createdAt} /> },
]

export function JobState({ job }: { job: BulkJob }) {
  const status = job.state === 'running' ? 'active' : job.state === 'done' ? 'completed' : 'dropped'
  return <StatusBadge status={status} text={STATES[job.state] ?? job.state} />
}
