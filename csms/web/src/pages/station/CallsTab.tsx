import { Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useRouterState, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, ok, sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { Ago } from '@/parts/Ago'
import { EmptyState } from '@/parts/EmptyState'
import { duration } from '@/parts/format'
import { Listing, useListing } from '@/parts/Listing'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Section } from '@/parts/Section'
import { ActionList } from '../stationcalls/ActionList'
import { Answer, OutcomeBadge } from '../stationcalls/Answer'
import { CallPanel } from '../stationcalls/CallPanel'
import forms from '../stationcalls/calls.module.css'
import { useActions } from '../stationcalls/catalogue'
import { sendable } from '../stationcalls/masked'
import type { Suggestions } from '../stationcalls/PayloadFields'
import { type Call, type Configuration, pathOf, type Station } from './data'
import classes from './station.module.css'

/** A call out of the log, to be sent again; the page that leads here hands it over. */
export interface HandedCall {
  action: string
  payload: unknown
  sentAt: string
}

/** Every call there is, as a form, and what was sent so far. */
export function CallsTab({ station }: { station: Station }) {
  const { may } = useMe()
  const actions = useActions()
  const navigate = useNavigate()
  const search = useSearch({ strict: false }) as { action?: string }
  const handed = useRouterState({
    select: (state) => (state.location.state as { call?: HandedCall }).call,
  })
  const [again, setAgain] = useState<HandedCall | undefined>(handed)
  // the page may be here already when another one is handed over
  const [last, setLast] = useState(handed)
  if (handed !== last) {
    setLast(handed)
    if (handed !== undefined) setAgain(handed)
  }
  const suggestions = useSuggestions(station, may('operator'))
  const start = useMemo(
    () =>
      again !== undefined && again.action === search.action
        ? { start: sendable(again.action, again.payload), sentAt: again.sentAt }
        : undefined,
    [again, search.action],
  )
  const chosen = actions.data?.find(({ action }) => action === search.action) ?? null

  function choose(action: string, again?: HandedCall) {
    setAgain(again)
    void navigate({
      to: '.',
      search: ((before: object) => ({ ...before, action })) as never,
      replace: true,
    })
  }

  return (
    <>
      {may('operator') && (
        <>
          {actions.error && <ProblemNotice problem={actions.error} retry={() => actions.refetch()} />}
          {actions.data === undefined && !actions.error && <Loader aria-label="Loading" />}
          {actions.data && (
            <div className={forms.columns}>
              <ActionList actions={actions.data} chosen={chosen?.action ?? null} choose={choose} />
              {chosen ? (
                <CallPanel
                  stationId={station.id}
                  stationName={station.name}
                  online={station.online}
                  action={chosen}
                  suggestions={suggestions}
                  {...(start === undefined ? {} : start)}
                />
              ) : (
                <div className="card">
                  <EmptyState icon="message" title="Choose a call">
                    All 26 calls that OCPP 1.6 knows can be sent to this station.
                  </EmptyState>
                </div>
              )}
            </div>
          )}
        </>
      )}
      <Sent station={station} again={may('operator') ? choose : undefined} />
    </>
  )
}

/** Returns what is known of the station for the fields of forms. */
function useSuggestions(station: Station, on: boolean): Suggestions {
  const stationId = station.id
  const keys = useQuery({
    queryKey: ['stations', stationId, 'configuration'],
    enabled: on,
    queryFn: async () =>
      (await sendJson<{ items: Configuration[] }>('GET', pathOf(stationId, '/configuration'))).items,
  })
  const images = useQuery({
    queryKey: ['firmware', 'choice'],
    enabled: on,
    queryFn: async () => (await ok(api.GET('/api/firmware'))).items,
  })
  return useMemo(() => {
    const known = (value: string, label = value) => ({ value, label })
    return {
      connectorId: station.connectors.map(({ connectorId }) =>
        known(String(connectorId), connectorId === 0 ? 'the whole station' : `connector ${connectorId}`),
      ),
      transactionId: station.connectors.flatMap(({ sessionId, connectorId }) =>
        sessionId === null ? [] : [known(sessionId, `runs at connector ${connectorId}`)],
      ),
      key: (keys.data ?? []).map(({ key, value }) => known(key, value ?? '')),
      firmwareId: (images.data ?? []).map(({ id, name, version }) => known(id, `${name} ${version ?? ''}`)),
    }
  }, [station.connectors, keys.data, images.data])
}

function Sent({
  station,
  again,
}: {
  station: Station
  again: ((action: string, call: HandedCall) => void) | undefined
}) {
  const list = useListing<Call>(pathOf(station.id, '/calls'))
  return (
    <Section title="Calls sent" about="By operators, and by the system itself.">
      <Listing
        label="Calls sent"
        list={list}
        rowKey={(row) => row.callId}
        empty="No call has been sent to this station yet."
        columns={[
          { header: 'When', fixed: true, cell: (row) => <Ago at={row.createdAt} /> },
          {
            header: 'Call',
            cell: (row) => (
              <details>
                <summary>{row.action}</summary>
                <pre className={forms.json}>{JSON.stringify(row.payload, null, 2)}</pre>
                {row.outcome !== null && <Answer told={row} />}
                {again && (
                  <button
                    type="button"
                    className="row-link"
                    onClick={() =>
                      again(row.action, {
                        action: row.action,
                        payload: row.payload,
                        sentAt: row.sentAt ?? row.createdAt,
                      })
                    }
                  >
                    Send again …
                  </button>
                )}
              </details>
            ),
          },
          { header: 'By', extra: true, cell: (row) => row.operator },
          {
            header: 'Outcome',
            fixed: true,
            cell: (row) => <OutcomeBadge outcome={row.outcome} status={row.status} />,
          },
          {
            header: 'Took',
            align: 'right',
            extra: true,
            cell: (row) => <span className={classes.mono}>{took(row)}</span>,
          },
        ]}
      />
    </Section>
  )
}

function took({ sentAt, endedAt }: Call): string {
  if (sentAt === null || endedAt === null) return ''
  const ms = Date.parse(endedAt) - Date.parse(sentAt)
  return ms < 1000 ? `${ms} ms` : duration(ms / 1000)
}
