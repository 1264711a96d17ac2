import { Button, Group, Loader } from '@mantine/core'
import { useState } from 'react'
import { send, sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { useNow } from '@/parts/clock'
import { power, shortTime } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { tellDone, tellProblem } from '@/parts/notices'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import tables from '@/parts/tables.module.css'
import { AddLimit } from './AddLimit'
import { pathOf, type SiteLimit, useLimits, useMeter, useRefresh, useRules } from './data'
import type { Site } from './form'
import { limitState } from './limits'
import { circuitNames } from './Shares'
import classes from './sites.module.css'

/** What narrows a site for a while, and what its meter says. */
export function LimitsTab({ site }: { site: Site }) {
  return (
    <>
      <Limits site={site} />
      <Meter site={site} />
    </>
  )
}

function Limits({ site }: { site: Site }) {
  const { may } = useMe()
  const found = useLimits(site.id)
  const [adding, setAdding] = useState(false)
  const now = useNow()
  const refresh = useRefresh(site.id)
  const circuits = circuitNames(site)
  const items = found.data?.items ?? []

  async function end(limit: SiteLimit) {
    try {
      // later than its start even where this browser's clock is late
      const endsAt = new Date(Math.max(Date.now(), Date.parse(limit.startsAt) + 1000)).toISOString()
      await sendJson('PATCH', pathOf(site.id, `/limits/${limit.id}`), { endsAt })
      await refresh()
      tellDone('The limit has ended.')
    } catch (error) {
      tellProblem(error)
    }
  }

  return (
    <Section
      title="Limits from outside"
      about="Such as a grid operator’s: with a start and an end. Of all that hold at a time the lowest counts; chargers are told 90 s before the start."
      actions={
        may('operator') &&
        !adding && (
          <Button onClick={() => setAdding(true)} leftSection={<Icon name="plus" size={14} />}>
            Add a limit
          </Button>
        )
      }
    >
      {adding && <AddLimit site={site} close={() => setAdding(false)} />}
      {found.error ? (
        <ProblemNotice problem={found.error} retry={() => void found.refetch()} />
      ) : found.isPending ? (
        <Loader aria-label="Loading" />
      ) : items.length === 0 ? (
        <p className={classes.none}>
          None. The grid connection of {power(site.gridCapacityKw)} is the limit.
        </p>
      ) : (
        <Scroller label="Limits from outside, as a table">
          <table className={`${tables.table} ${tables.middle} ${tables.stacked}`}>
            <thead>
              <tr>
                <th scope="col">Limit</th>
                <th scope="col">State</th>
                <th scope="col">From</th>
                <th scope="col">Until</th>
                <th scope="col">Of</th>
                <th scope="col">Why</th>
                <th scope="col">
                  <span className={classes.hidden}>Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((limit) => {
                const state = limitState(limit, now)
                return (
                  <tr key={limit.id}>
                    <th scope="row" className="num" data-label="Limit">
                      {power(limit.limitKw)}
                    </th>
                    <td data-label="State">
                      <StatusBadge status={state.text} tone={state.tone} text={state.text} />
                    </td>
                    <td className="num" data-label="From">
                      {shortTime(limit.startsAt, now, site.timeZone)}
                    </td>
                    <td className="num" data-label="Until">
                      {limit.endsAt === null ? 'removed' : shortTime(limit.endsAt, now, site.timeZone)}
                    </td>
                    <td data-label="Of">
                      {limit.circuitId === null
                        ? limit.appliesTo === 'charging'
                          ? 'all chargers together'
                          : 'the whole site'
                        : (circuits.get(limit.circuitId) ?? limit.circuitId)}
                    </td>
                    <td data-label="Why">
                      {limit.reason} <span className="dimmed">{limit.createdBy}</span>
                    </td>
                    <td data-wide>
                      {may('operator') && (
                        <Group gap={6} wrap="nowrap" justify="flex-end">
                          {state.text === 'Holds' && (
                            <Button variant="default" onClick={() => void end(limit)}>
                              End now
                            </Button>
                          )}
                          <ConfirmAction
                            title={`Remove the limit of ${power(limit.limitKw)}?`}
                            text="If it holds, its power is given back to those who charge."
                            confirm="Remove"
                            act={() => send(pathOf(site.id, `/limits/${limit.id}`), { method: 'DELETE' })}
                            onDone={() => void refresh()}
                          >
                            Remove
                          </ConfirmAction>
                        </Group>
                      )}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </Scroller>
      )}
    </Section>
  )
}

const METER_WORDS = {
  none: { tone: 'idle', text: 'None' },
  fresh: { tone: 'good', text: 'Heard' },
  silent: { tone: 'bad', text: 'Silent' },
} as const

function Meter({ site }: { site: Site }) {
  const { may } = useMe()
  const meter = useMeter(site.id)
  const rules = useRules(site.id)
  const refresh = useRefresh(site.id)
  if (meter.error) return <ProblemNotice problem={meter.error} retry={() => void meter.refetch()} />
  if (meter.data === undefined) return <Loader aria-label="Loading" />
  const { state, powerKw, buildingKw, receivedAt, solarKw } = meter.data
  const most = rules.data?.buildingMaxKw ?? 0
  const instead =
    state === 'none'
      ? most > 0
        ? `The building counts for ${power(most)}, as the rules say.`
        : 'The building counts for nothing: only right where nothing else hangs on the connection.'
      : `The building counts for ${power(most > 0 ? most : site.gridCapacityKw)} until it is heard again.`
  return (
    <Section
      title="Site meter"
      about="Tells what flows through the grid connection, so that chargers get just what the building leaves."
      actions={
        state !== 'none' &&
        may('operator') && (
          <ConfirmAction
            title="Forget the site meter?"
            text="Until it is heard again, the building counts for what the rules say at most."
            confirm="Forget it"
            act={() => send(pathOf(site.id, '/meter'), { method: 'DELETE' })}
            onDone={() => void refresh()}
          >
            Forget it
          </ConfirmAction>
        )
      }
    >
      <dl className={classes.pairs}>
        <div>
          <dt>State</dt>
          <dd>
            <StatusBadge status={state} {...METER_WORDS[state]} />
          </dd>
        </div>
        {state !== 'none' && (
          <>
            <div>
              <dt>Through the connection</dt>
              <dd className="num">
                {power(powerKw === null ? null : Math.abs(powerKw))}
                {powerKw !== null && powerKw < 0 ? ' out, into the grid' : ' in, out of the grid'}
              </dd>
            </div>
            <div>
              <dt>Kept free for the building</dt>
              <dd className="num">{power(buildingKw)}</dd>
            </div>
            {solarKw !== null && (
              <div>
                <dt>Solar panels give</dt>
                <dd className="num">{power(solarKw)}</dd>
              </div>
            )}
            <div>
              <dt>Last word</dt>
              <dd>
                <Ago at={receivedAt} timeZone={site.timeZone} />
              </dd>
            </div>
          </>
        )}
      </dl>
      {state !== 'fresh' && <p className={classes.none}>{instead}</p>}
      {state === 'none' && (
        <p className={classes.none}>
          A meter tells its power every few seconds: POST <code>{pathOf(site.id, '/meter')}</code> with{' '}
          <code>{'{"powerKw": 12.3}'}</code> (negative: into the grid), or the same by MQTT to{' '}
          <code>charging/sites/{site.id}/meter</code>. Who knows what solar panels give adds{' '}
          <code>"solarKw": 8.1</code>: it is shown beside, and changes no limit.
        </p>
      )}
    </Section>
  )
}
