import { Button, Group, MultiSelect, Select } from '@mantine/core'
import { useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { asProblem } from '@/api/problem'
import { useStations } from '@/live/hooks'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { power } from '@/parts/format'
import { tellDone, tellProblem } from '@/parts/notices'
import { PageLink } from '@/parts/PageLink'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import tables from '@/parts/tables.module.css'
import { useRefresh } from './data'
import type { Site } from './form'
import { circuitNames } from './Shares'
import classes from './sites.module.css'

const SHOWN = 50

/** Which chargers share the site, and on which circuit each hangs. */
export function StationsOfSite({ site }: { site: Site }) {
  const { may } = useMe()
  const stations = useStations()
  const refresh = useRefresh(site.id)
  const [chosen, setChosen] = useState<string[]>([])
  const [circuit, setCircuit] = useState('')
  const [busy, setBusy] = useState(false)
  const [all, setAll] = useState(false)
  const names = useMemo(() => new Map(stations.map(({ id, name }) => [id, name])), [stations])
  const circuits = circuitNames(site)
  const elsewhere = useMemo(
    () =>
      stations
        .filter(({ siteId }) => siteId !== site.id)
        .map(({ id, name, siteId }) => ({
          value: id,
          label: `${name}${siteId === null ? '' : ` (now at ${siteId})`}`,
        })),
    [stations, site.id],
  )
  const places = [
    { value: '', label: 'Grid connection' },
    ...[...circuits].map(([id, name]) => ({ value: id, label: name })),
  ]
  const shown = all ? site.chargers : site.chargers.slice(0, SHOWN)

  async function assign() {
    setBusy(true)
    const left = [...chosen]
    try {
      for (const id of chosen) {
        await place(id, { siteId: site.id, circuitId: circuit === '' ? null : circuit })
        left.shift()
      }
      tellDone(chosen.length === 1 ? 'One station is assigned.' : `${chosen.length} stations are assigned.`)
    } catch (error) {
      tellProblem(error, `${names.get(left[0] ?? '') ?? left[0]} was not assigned`)
    } finally {
      setChosen(left)
      setBusy(false)
      await refresh()
    }
  }

  async function move(id: string, circuitId: string) {
    try {
      await place(id, { circuitId: circuitId === '' ? null : circuitId })
      await refresh()
      tellDone(`${names.get(id) ?? id} is moved.`)
    } catch (error) {
      tellProblem(asProblem(error))
    }
  }

  return (
    <Section
      title="Stations"
      about="The chargers that share this site. One that another system controls tells its loads by the API."
    >
      {may('operator') && (
        <Group gap="xs" align="flex-end" mb="sm">
          <MultiSelect
            label="Assign stations"
            placeholder={chosen.length === 0 ? 'Stations of no or another site' : undefined}
            nothingFoundMessage="No other station"
            searchable
            limit={60}
            style={{ flex: '1 1 260px' }}
            data={elsewhere}
            value={chosen}
            onChange={setChosen}
          />
          {circuits.size > 0 && (
            <Select
              label="To the circuit"
              allowDeselect={false}
              w={190}
              data={places}
              value={circuit}
              onChange={(value) => setCircuit(value ?? '')}
            />
          )}
          <Button size="sm" disabled={chosen.length === 0} loading={busy} onClick={() => void assign()}>
            Assign
          </Button>
        </Group>
      )}
      {site.chargers.length === 0 ? (
        <p className={classes.none}>No station is assigned yet.</p>
      ) : (
        <Scroller label="Stations of the site, as a table">
          <table className={`${tables.table} ${tables.middle}`}>
            <thead>
              <tr>
                <th scope="col">Charger</th>
                <th scope="col" data-align="right">
                  Most power
                </th>
                <th scope="col">Circuit</th>
                <th scope="col">
                  <span className={classes.hidden}>Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((charger) => {
                const own = charger.controlledBy === 'csms'
                const name = names.get(charger.id) ?? charger.id
                return (
                  <tr key={charger.id}>
                    <th scope="row">
                      {own ? (
                        <PageLink
                          to="/stations/$stationId"
                          params={{ stationId: charger.id }}
                          className="row-link"
                        >
                          {name}
                        </PageLink>
                      ) : (
                        <>
                          {charger.id} <span className="dimmed">another system</span>
                        </>
                      )}
                    </th>
                    <td data-align="right">{power(charger.maxPowerKw)}</td>
                    <td>
                      {own && may('operator') && circuits.size > 0 ? (
                        <Select
                          aria-label={`Circuit of ${name}`}
                          size="xs"
                          w={190}
                          allowDeselect={false}
                          data={places}
                          value={charger.circuitId ?? ''}
                          onChange={(value) => void move(charger.id, value ?? '')}
                        />
                      ) : charger.circuitId === null ? (
                        'Grid connection'
                      ) : (
                        (circuits.get(charger.circuitId) ?? charger.circuitId)
                      )}
                    </td>
                    <td data-align="right">
                      {own && may('operator') && (
                        <ConfirmAction
                          title={`Take ${name} out of ${site.name}?`}
                          text="It stays a station, without a site: its power no longer counts here, and no common limit holds it. Do this only where it hangs on another connection."
                          confirm="Take it out"
                          act={() => place(charger.id, { siteId: null })}
                          onDone={() => void refresh()}
                        >
                          Take out
                        </ConfirmAction>
                      )}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </Scroller>
      )}
      {shown.length < site.chargers.length && (
        <Button variant="default" mt="xs" onClick={() => setAll(true)}>
          Show {site.chargers.length - shown.length} more
        </Button>
      )}
    </Section>
  )
}

function place(
  stationId: string,
  change: { siteId?: string | null; circuitId?: string | null },
): Promise<unknown> {
  return sendJson('PATCH', `/api/stations/${encodeURIComponent(stationId)}`, change)
}
