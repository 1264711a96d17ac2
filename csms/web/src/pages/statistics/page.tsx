import { Button, Group, Loader, SegmentedControl, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { Problem } from '@/api/problem'
import { useSiteFilter } from '@/app/site'
import { useSites, useStations } from '@/live/hooks'
import { CsvButton } from '@/parts/CsvButton'
import { EmptyState } from '@/parts/EmptyState'
import { everyPage, type Followed, saveFile } from '@/parts/everyPage'
import { count, day, energy, money, NOTHING } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Section } from '@/parts/Section'
import { StationSelect } from '@/parts/StationSelect'
import { Tile, Tiles } from '@/parts/Tiles'
import { type Bar, Bars } from './Bars'
import { type By, SumsTable } from './SumsTable'
import classes from './statistics.module.css'
import {
  csvOf,
  fittingStep,
  lastDays,
  NOTHING_YET,
  type Period,
  type Step,
  type Sum,
  type SumRow,
  stepsOf,
  sumsOf,
  wholeOf,
  wrongWith,
} from './sums'

type What = 'energy' | 'sessions' | 'revenue'

interface Search {
  from?: string | undefined
  to?: string | undefined
  stationId?: string | undefined
  what?: What | undefined
  by?: By | undefined
}

const LENGTHS = [7, 30, 90, 365]

/** Statistics over ended sessions: how many, how much energy, what they have brought. */
export default function StatisticsPage() {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const set = (change: Search) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })
  const stations = useStations()
  const sites = useSites()
  const [site] = useSiteFilter()
  const today = day(Date.now())
  const usual = lastDays(30, today)
  const period = { from: search.from ?? usual.from, to: search.to ?? usual.to }
  const wrong = wrongWith(period)
  const { from, to } = period
  const step = fittingStep(from, to)
  const filter = query(period, search.stationId, site)
  const by = search.by ?? 'day'
  const what = search.what ?? 'energy'
  const list = useSums(step, filter, wrong === null)
  const table = useSums(by === 'day' ? step : by, filter, wrong === null)
  const rows = list.data?.items
  const whole = useMemo(() => wholeOf(rows ?? []), [rows])
  const steps = useMemo(() => sumsOf(rows ?? []), [rows])
  const sums = useMemo(() => sumsOf(table.data?.items ?? []), [table.data])
  const currencies = [...whole.revenue.keys()].sort()
  const currency = currencies[0] ?? null
  const bars = useMemo(
    () => (wrong === null ? barsOf(stepsOf(from, to, step), steps, what, step, currency) : []),
    [wrong, from, to, step, steps, what, currency],
  )
  const names = useMemo(
    () =>
      new Map([
        ...stations.map((station): [string, string] => [station.id, station.name]),
        ...sites.map((each): [string, string] => [`site ${each.id}`, each.name]),
      ]),
    [stations, sites],
  )
  const length = LENGTHS.find((days) => lastDays(days, today).from === from && to === today)

  return (
    <>
      <PageHeader
        title="Statistics"
        subtitle="Sessions that have ended, each on the day of its end at its site"
        actions={
          <CsvButton path={`/api/stats/daily?${filter}`} name={`sessions-by-day-${from}-${to}.csv`}>
            CSV by day and station
          </CsvButton>
        }
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Statistics" align="flex-start">
        <SegmentedControl
          aria-label="Period"
          size="sm"
          value={String(length ?? '')}
          onChange={(value) => {
            const chosen = lastDays(Number(value), today)
            set(Number(value) === 30 ? { from: undefined, to: undefined } : chosen)
          }}
          data={LENGTHS.map((days) => ({
            value: String(days),
            label: days === 365 ? 'Year' : `${days} days`,
          }))}
        />
        <TextInput
          aria-label="First day"
          type="date"
          value={from}
          max={to}
          onChange={(event) => set({ from: event.currentTarget.value, to })}
        />
        <TextInput
          aria-label="Last day"
          type="date"
          value={to}
          error={wrong}
          onChange={(event) => set({ from, to: event.currentTarget.value })}
        />
        <StationSelect
          value={search.stationId}
          onChange={(value) => set({ stationId: value ?? undefined })}
        />
      </Group>
      {list.error && !rows ? (
        <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
      ) : rows === undefined ? (
        wrong === null && <Loader aria-label="Loading" />
      ) : rows.length === 0 ? (
        <div className="card">
          <EmptyState icon="chart" title="No session has ended in this time">
            Choose a longer time, or take a filter away. Sessions that still run count once they have ended.
          </EmptyState>
        </div>
      ) : (
        <>
          <SumTiles sum={whole} />
          <Section
            title={{ energy: 'Energy', sessions: 'Sessions', revenue: 'Revenue' }[what]}
            about={about(step, what, currencies)}
            actions={
              <SegmentedControl
                aria-label="What is shown"
                size="xs"
                value={what}
                onChange={(value) => set({ what: value === 'energy' ? undefined : (value as What) })}
                data={[
                  { value: 'energy', label: 'Energy' },
                  { value: 'sessions', label: 'Sessions' },
                  { value: 'revenue', label: 'Revenue' },
                ]}
              />
            }
          >
            <Bars
              label={`${what} of each ${step} from ${from} to ${to}`}
              bars={bars}
              tick={(value) => told(value, what, currency)}
            />
          </Section>
          <div className={classes.table}>
            <Group gap="xs" mb="xs" justify="space-between">
              <SegmentedControl
                aria-label="Summed by"
                size="xs"
                value={by}
                onChange={(value) => set({ by: value === 'day' ? undefined : (value as By) })}
                data={[
                  { value: 'day', label: `By ${step}` },
                  { value: 'station', label: 'By station' },
                  { value: 'site', label: 'By site' },
                ]}
              />
              <Button
                variant="default"
                size="xs"
                leftSection={<Icon name="download" size={13} />}
                onClick={() =>
                  saveFile(
                    `sessions-by-${by === 'day' ? step : by}-${from}-${to}.csv`,
                    csvOf(by === 'day' ? step : by, sums),
                  )
                }
              >
                CSV of this table
              </Button>
            </Group>
            {table.error && !table.data ? (
              <ProblemNotice problem={table.error} retry={() => void table.refetch()} />
            ) : (
              <SumsTable by={by} step={step} sums={sums} names={names} />
            )}
          </div>
        </>
      )}
    </>
  )
}

/** Asks for sums; until others have come, those of the same kind stay. */
function useSums(by: Step | 'station' | 'site', filter: string, enabled: boolean) {
  return useQuery<Followed<SumRow>, Problem>({
    queryKey: ['stats', 'sums', by, filter],
    queryFn: () => everyPage<SumRow>(`/api/stats/sums?by=${by}&${filter}`),
    enabled,
    refetchInterval: 60_000,
    placeholderData: (before, asked) => (asked?.queryKey[2] === by ? before : undefined),
  })
}

function SumTiles({ sum }: { sum: Sum }) {
  const amounts = [...sum.revenue].sort()
  const facts: [string, string][] = [
    ['Sessions', count(sum.sessions)],
    ['Energy', energy(sum.energyKwh)],
    ['Energy a session', sum.sessions === 0 ? NOTHING : energy(sum.energyKwh / sum.sessions)],
    ['Revenue', amounts.map(([currency, amount]) => money(amount, currency)).join(' + ') || NOTHING],
  ]
  return (
    <Tiles>
      {facts.map(([name, value]) => (
        <Tile key={name} name={name} value={value} />
      ))}
    </Tiles>
  )
}

function query({ from, to }: Period, stationId: string | undefined, site: string | null): string {
  const query = new URLSearchParams({ from, to })
  if (stationId) query.set('stationId', stationId)
  if (site !== null) query.set('siteId', site)
  return query.toString()
}

function about(step: Step, what: What, currencies: readonly string[]): string {
  const parts = [`One bar a ${step}.`]
  if (what === 'revenue' && currencies.length > 1) parts.push(`Only what was paid in ${currencies[0]}.`)
  return parts.join(' ')
}

function told(value: number, what: What, currency: string | null): string {
  if (what === 'energy') return energy(value)
  if (what === 'revenue') return money(value, currency)
  return Number.isInteger(value) ? count(value) : String(value)
}

function barsOf(
  steps: readonly string[],
  sums: readonly Sum[],
  what: What,
  step: Step,
  currency: string | null,
): Bar[] {
  const byStep = new Map(sums.map((sum) => [sum.id, sum]))
  return steps.map((id) => {
    const sum = byStep.get(id) ?? NOTHING_YET
    const value =
      what === 'energy'
        ? sum.energyKwh
        : what === 'sessions'
          ? sum.sessions
          : (sum.revenue.get(currency ?? '') ?? 0)
    const name = new Date(`${id}T12:00:00Z`).toLocaleDateString('en-US', {
      timeZone: 'UTC',
      month: 'short',
      ...(step === 'month' ? { year: 'numeric' } : { day: 'numeric' }),
    })
    return {
      id,
      label: name,
      value,
      told: `${step === 'week' ? 'Week of ' : ''}${name}: ${told(value, what, currency)}`,
    }
  })
}
