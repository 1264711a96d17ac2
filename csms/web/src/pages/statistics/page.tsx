import { Button, Group, Loader, SegmentedControl, Select, TextInput } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
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
import { type Bar, Bars } from './Bars'
import { type By, SumsTable } from './SumsTable'
import classes from './statistics.module.css'
import {
  csvOf,
  type Daily,
  fittingStep,
  lastDays,
  NOTHING_YET,
  type Step,
  type Sum,
  startOf,
  stepsOf,
  sumsOf,
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
  const path = `/api/stats/daily?${query(period, search.stationId)}`
  const list = useQuery<Followed<Daily>, Problem>({
    queryKey: ['stats', 'daily', path],
    queryFn: () => everyPage<Daily>(path, 50),
    enabled: wrong === null,
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  })
  const siteOf = useMemo(
    () => new Map(stations.map((station) => [station.id, station.siteId ?? ''])),
    [stations],
  )
  const rows = useMemo(
    () => (list.data?.items ?? []).filter((row) => site === null || siteOf.get(row.stationId) === site),
    [list.data, site, siteOf],
  )
  const whole = useMemo(() => sumsOf(rows, () => '')[0] ?? NOTHING_YET, [rows])
  const by = search.by ?? 'day'
  const what = search.what ?? 'energy'
  const step = fittingStep(period.from, period.to)
  const steps = useMemo(() => sumsOf(rows, (row) => startOf(row.date, step)), [rows, step])
  const currencies = [...whole.revenue.keys()].sort()
  const currency = currencies[0] ?? null
  const { from, to } = period
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
  const sums = useMemo(() => {
    if (by === 'day') return steps
    if (by === 'station') return sumsOf(rows, (row) => row.stationId)
    return sumsOf(rows, (row) => siteOf.get(row.stationId) ?? '')
  }, [by, steps, rows, siteOf])
  const length = LENGTHS.find((days) => lastDays(days, today).from === from && to === today)

  return (
    <>
      <PageHeader
        title="Statistics"
        subtitle="Sessions that have ended, each on the day of its end at its site"
        actions={
          <CsvButton path={path} name={`sessions-by-day-${from}-${to}.csv`}>
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
        <Select
          aria-label="Station"
          placeholder="Any station"
          clearable
          searchable
          limit={100}
          nothingFoundMessage="No such station"
          w={{ base: '100%', xs: 220 }}
          value={search.stationId ?? null}
          onChange={(value) => set({ stationId: value ?? undefined })}
          data={stations.map(({ id, name }) => ({ value: id, label: name === id ? id : `${name} (${id})` }))}
        />
      </Group>
      {list.error && !list.data ? (
        <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
      ) : list.data === undefined ? (
        wrong === null && <Loader aria-label="Loading" />
      ) : rows.length === 0 ? (
        <div className="card">
          <EmptyState icon="chart" title="No session has ended in this time">
            Choose a longer time, or take a filter away. Sessions that still run count once they have ended.
          </EmptyState>
        </div>
      ) : (
        <>
          <Tiles sum={whole} />
          <Section
            title={{ energy: 'Energy', sessions: 'Sessions', revenue: 'Revenue' }[what]}
            about={about(step, what, currencies, list.data.more)}
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
            <SumsTable by={by} step={step} sums={sums} names={names} />
          </div>
        </>
      )}
    </>
  )
}

function Tiles({ sum }: { sum: Sum }) {
  const amounts = [...sum.revenue].sort()
  const facts: [string, string][] = [
    ['Sessions', count(sum.sessions)],
    ['Energy', energy(sum.energyKwh)],
    ['Energy a session', sum.sessions === 0 ? NOTHING : energy(sum.energyKwh / sum.sessions)],
    ['Revenue', amounts.map(([currency, amount]) => money(amount, currency)).join(' + ') || NOTHING],
  ]
  return (
    <dl className={classes.tiles}>
      {facts.map(([name, value]) => (
        <div key={name} className={`card ${classes.tile}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function query({ from, to }: { from: string; to: string }, stationId: string | undefined): string {
  const query = new URLSearchParams({ from, to })
  if (stationId) query.set('stationId', stationId)
  return query.toString()
}

function about(step: Step, what: What, currencies: readonly string[], more: boolean): string {
  const parts = [`One bar a ${step}.`]
  if (what === 'revenue' && currencies.length > 1) parts.push(`Only what was paid in ${currencies[0]}.`)
  if (more) parts.push('There is more than fits: the newest days only. Choose a shorter time.')
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
