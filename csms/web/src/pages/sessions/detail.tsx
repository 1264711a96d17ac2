import { Button, Checkbox, Loader } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, ok } from '@/api/client'
import { useMe } from '@/api/me'
import { useStation } from '@/live/hooks'
import type { LiveStation } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { Chart } from '@/parts/Chart'
import { EmptyState } from '@/parts/EmptyState'
import { duration, energy, exactTime, money, NOTHING, percent, power, unitPrice } from '@/parts/format'
import { Listing, useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { PendingButton } from '@/parts/PendingButton'
import { PowerNow } from '@/parts/PowerNow'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import tables from '@/parts/tables.module.css'
import { reasonOf } from '../sites/reasons'
import { Correction } from './Correction'
import { curvesOf } from './curves'
import { type Explanation, type Moment, type Session, useExplanation, useReadings, useSession } from './data'
import classes from './sessions.module.css'
import { FLAGS, STOPS } from './words'

/** One session: what it takes and may take, what it costs, and all that has happened. */
export default function SessionPage() {
  const { sessionId = '' } = useParams({ strict: false }) as { sessionId?: string }
  const { session, error, refetch } = useSession(sessionId)
  if (error?.status === 404 || error?.status === 422)
    return (
      <>
        <PageHeader title={`Session ${sessionId}`} />
        <EmptyState icon="bolt" title="There is no such session">
          Its number is not one of this system's.
        </EmptyState>
      </>
    )
  if (session === undefined)
    return error ? (
      <ProblemNotice problem={error} retry={() => void refetch()} />
    ) : (
      <Loader aria-label="Loading" />
    )
  return <SessionView key={session.id} session={session} />
}

function SessionView({ session }: { session: Session }) {
  const { may } = useMe()
  const active = session.status === 'active'
  const station = useStation(session.stationId)
  const why = useExplanation(session.id, active)
  return (
    <>
      <PageHeader
        title={`Session ${session.id}`}
        beside={<StatusBadge status={session.status} />}
        subtitle={
          <>
            <PageLink to="/stations/$stationId" params={{ stationId: session.stationId }}>
              {station?.name ?? session.stationId}
            </PageLink>{' '}
            · connector {session.connectorId} · {session.idTag} · started <Ago at={session.startedAt} />
          </>
        }
        actions={
          may('operator') && (
            <>
              {active && (
                <PendingButton
                  color="red"
                  variant="light"
                  done={!active}
                  pendingText="Stopping …"
                  act={() =>
                    ok(
                      api.POST('/api/sessions/{sessionId}/stop', {
                        params: { path: { sessionId: session.id } },
                        body: { waitS: 0 },
                      }),
                    )
                  }
                >
                  Stop
                </PendingButton>
              )}
              <Correction session={session} />
            </>
          )
        }
      />
      <Facts session={session} station={station} />
      {session.flags.length > 0 && <Odd session={session} explanation={why.data} />}
      <Curves session={session} explanation={why.data} />
      <div className={classes.two}>
        <Why explanation={why.data} active={active} />
        <Price session={session} explanation={why.data} />
      </div>
      <Timeline session={session} />
    </>
  )
}

function Facts({ session, station }: { session: Session; station: LiveStation | undefined }) {
  const ended = session.stoppedAt === null ? null : Date.parse(session.stoppedAt)
  const facts: [string, React.ReactNode][] = [
    ['Energy', energy(session.energyKwh)],
    ['Cost', money(session.cost, session.currency)],
    ...(session.status === 'active'
      ? ([
          ['Power', <PowerNow key="power" session={session} station={station} />],
          ['Limit', power(session.limitKw)],
          ['State of charge', percent(session.socPercent)],
          [
            'Done, as far as can be told',
            session.etaAt === null || !station?.online ? NOTHING : <Ago key="eta" at={session.etaAt} />,
          ],
        ] satisfies [string, React.ReactNode][])
      : ([
          ['Took', ended === null ? NOTHING : duration((ended - Date.parse(session.startedAt)) / 1000)],
          ['Ended', session.stoppedAt === null ? NOTHING : <Ago key="end" at={session.stoppedAt} />],
          ['Ended by', <EndedBy key="by" reason={session.stopReason} />],
          ['State of charge', percent(session.socPercent)],
        ] satisfies [string, React.ReactNode][])),
  ]
  return (
    <dl className={`card ${classes.facts}`}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function EndedBy({ reason }: { reason: string | null }) {
  if (reason === null) return <>no stop was reported</>
  return (
    <>
      <span>{reason}</span>
      {STOPS[reason] && <small className={classes.words}>{STOPS[reason]}</small>}
    </>
  )
}

function Odd({ session, explanation }: { session: Session; explanation: Explanation | undefined }) {
  const texts = new Map(explanation?.flags.map(({ flag, text }) => [flag, text]))
  return (
    <Section title="Odd about it">
      <ul className={classes.list}>
        {session.flags.map((flag) => (
          <li key={flag}>
            <b>{FLAGS[flag] ?? flag}.</b> {texts.get(flag)}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Curves({ session, explanation }: { session: Session; explanation: Explanation | undefined }) {
  const readings = useReadings(session.id, session.status === 'active')
  const perKwh = explanation?.price.components.find(({ component }) => component === 'energy')?.price ?? null
  const drawing = useMemo(
    () => curvesOf(readings.data ?? [], explanation?.limits.decisions ?? [], session.meterStartWh, perKwh),
    [readings.data, explanation, session.meterStartWh, perKwh],
  )
  if (readings.error) return <ProblemNotice problem={readings.error} />
  if (readings.data === undefined) return <Loader aria-label="Loading" />
  if (drawing.power.length === 0 && drawing.energy.length === 0)
    return (
      <Section title="Curves">
        <p className="dimmed">Its charger has sent no meter values{session.status === 'active' && ' yet'}.</p>
      </Section>
    )
  if (new Set(drawing.times.map(Math.floor)).size < 2)
    return (
      <Section title="Curves">
        <p className="dimmed">There is one reading so far; curves begin with the second.</p>
      </Section>
    )
  const [taken, cost] = drawing.energy
  return (
    <div className={classes.curves}>
      {drawing.power.length > 0 && (
        <Section title="Power" about="What the car draws, and the limit that it was given.">
          <Chart
            label="Power and limit"
            times={drawing.times}
            curves={drawing.power}
            unit="kW"
            sync="session"
          />
        </Section>
      )}
      {taken && (
        <Section title="Energy">
          <Chart label="Energy" times={drawing.times} curves={[taken]} unit="kWh" digits={2} sync="session" />
        </Section>
      )}
      {cost && session.currency && (
        <Section title="Cost" about="At the price of its start.">
          <Chart
            label="Cost"
            times={drawing.times}
            curves={[cost]}
            unit={session.currency}
            digits={2}
            sync="session"
          />
        </Section>
      )}
      {drawing.charge.length > 0 && (
        <Section title="State of charge">
          <Chart
            label="State of charge"
            times={drawing.times}
            curves={drawing.charge}
            unit="%"
            digits={0}
            sync="session"
          />
        </Section>
      )}
    </div>
  )
}

function Why({ explanation, active }: { explanation: Explanation | undefined; active: boolean }) {
  if (explanation === undefined) return null
  const { authorization, limits } = explanation
  const reason = limits.reason === null ? null : reasonOf(limits.reason)
  return (
    <Section title="Why">
      <ul className={classes.list}>
        <li>
          <b>It may charge.</b> {authorization.text}
        </li>
        {active && reason !== null && (
          <li>
            <b>{reason.short}.</b> {reason.explanation}
          </li>
        )}
        {active && reason === null && (
          <li>
            <b>No limit of ours.</b> Its station belongs to no site, or its site has not decided yet.
          </li>
        )}
        {!active && <li>It has ended, so nothing limits it any more.</li>}
      </ul>
    </Section>
  )
}

function Price({ session, explanation }: { session: Session; explanation: Explanation | undefined }) {
  if (explanation === undefined) return null
  const { price } = explanation
  return (
    <Section title="Price">
      <table className={tables.table}>
        <tbody>
          {price.components.map((part) => (
            <tr key={part.component}>
              <th scope="row">{part.component === 'energy' ? 'Energy' : part.component}</th>
              <td data-align="right">
                {part.unit === 'kWh' ? energy(part.quantity) : `${part.quantity} ${part.unit}`}
              </td>
              <td data-align="right">
                {unitPrice(part.price, price.currency)} / {part.unit}
              </td>
              <td data-align="right">{money(part.amount, price.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="dimmed">
        {!price.billable
          ? 'Not billed: its energy is not certain.'
          : session.status === 'active'
            ? 'So far.'
            : `${money(price.amount, price.currency)} in all.`}
      </p>
    </Section>
  )
}

function Timeline({ session }: { session: Session }) {
  const [values, setValues] = useState(false)
  const list = useListing<Moment>(
    `/api/sessions/${encodeURIComponent(session.id)}/timeline?limit=100${values ? '&meterValues=true' : ''}`,
    session.status === 'active' ? 10 : 60,
  )
  return (
    <Section
      title="What has happened"
      about="Messages and decisions that belong to it, in their order."
      actions={
        <Checkbox
          label="Meter values too"
          checked={values}
          onChange={(event) => setValues(event.currentTarget.checked)}
        />
      }
    >
      <Listing
        label="Timeline"
        list={list}
        rowKey={(row, index) => `${row.at} ${index}`}
        empty="Nothing is kept of it any more."
        columns={[
          { header: 'When', fixed: true, cell: (row) => <span className="num">{exactTime(row.at)}</span> },
          {
            header: 'Kind',
            fixed: true,
            extra: true,
            cell: (row) =>
              row.kind === 'message'
                ? row.message?.direction === 'in'
                  ? 'from the station'
                  : 'to the station'
                : row.kind === 'decision'
                  ? 'decision'
                  : 'session',
          },
          { header: 'What', cell: (row) => <Happening moment={row} /> },
        ]}
      />
    </Section>
  )
}

function Happening({ moment }: { moment: Moment }) {
  const [open, setOpen] = useState(false)
  if (moment.message === null || moment.message === undefined) return <>{moment.text}</>
  return (
    <>
      {moment.text}{' '}
      <Button size="compact-xs" variant="subtle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Hide' : 'Show'}
      </Button>
      {open && <pre className={classes.raw}>{moment.message.raw}</pre>}
    </>
  )
}
