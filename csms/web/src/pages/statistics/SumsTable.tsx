import { useMemo } from 'react'
import { type Column, DataTable } from '@/parts/DataTable'
import { count, energy, money } from '@/parts/format'
import { PageLink } from '@/parts/PageLink'
import type { Step, Sum } from './sums'

export type By = 'day' | 'station' | 'site'

interface SumsTableProps {
  by: By
  step: Step
  sums: readonly Sum[]
  /** Names of stations by id, of sites by `site ` and id. */
  names: ReadonlyMap<string, string>
}

/** Sums as a table: what the chart shows, and more. */
export function SumsTable({ by, step, sums, names }: SumsTableProps) {
  const columns = useMemo(() => [first(by, step, names), ...NUMBERS], [by, step, names])
  return (
    <DataTable
      key={by}
      label={by === 'day' ? `Sums by ${step}` : `Sums by ${by}`}
      columns={columns}
      rows={sums}
      rowKey={(sum) => sum.id}
      order={by === 'day' ? { column: 'what', descending: true } : { column: 'energy', descending: true }}
      height={`min(60vh, ${44 + sums.length * 38}px)`}
    />
  )
}

function first(by: By, step: Step, names: ReadonlyMap<string, string>): Column<Sum> {
  if (by === 'day')
    return {
      id: 'what',
      header: { day: 'Day', week: 'Week from', month: 'Month from' }[step],
      cell: (sum) => <span className="num">{sum.id}</span>,
      value: (sum) => sum.id,
    }
  if (by === 'station')
    return {
      id: 'what',
      header: 'Station',
      cell: (sum) => (
        <PageLink to="/stations/$stationId" params={{ stationId: sum.id }} className="row-link">
          {names.get(sum.id) ?? sum.id}
        </PageLink>
      ),
      value: (sum) => names.get(sum.id) ?? sum.id,
    }
  return {
    id: 'what',
    header: 'Site',
    cell: (sum) =>
      sum.id === '' ? (
        'No site'
      ) : (
        <PageLink to="/sites/$siteId" params={{ siteId: sum.id }} className="row-link">
          {names.get(`site ${sum.id}`) ?? sum.id}
        </PageLink>
      ),
    value: (sum) => names.get(`site ${sum.id}`) ?? sum.id,
  }
}

const NUMBERS: readonly Column<Sum>[] = [
  {
    id: 'sessions',
    header: 'Sessions',
    align: 'right',
    width: 100,
    cell: (sum) => count(sum.sessions),
    value: (sum) => sum.sessions,
  },
  {
    id: 'energy',
    header: 'Energy',
    align: 'right',
    width: 110,
    cell: (sum) => energy(sum.energyKwh),
    value: (sum) => sum.energyKwh,
  },
  {
    id: 'each',
    header: 'A session',
    align: 'right',
    width: 110,
    cell: (sum) => energy(sum.energyKwh / sum.sessions),
    value: (sum) => sum.energyKwh / sum.sessions,
    from: 560,
  },
  {
    id: 'revenue',
    header: 'Revenue',
    align: 'right',
    width: 130,
    cell: (sum) => [...sum.revenue].map(([currency, amount]) => money(amount, currency)).join(' + '),
    value: (sum) => [...sum.revenue.values()][0] ?? 0,
    from: 420,
  },
]
