import { Button, MultiSelect, SimpleGrid, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useSite } from '@/live/hooks'
import { FormEnd } from '@/parts/FormEnd'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { useSending } from '@/parts/sending'
import { pathOf, useRefresh, useStationsOf } from './data'
import type { Site } from './form'
import { Preview } from './Preview'
import { circuitNames } from './Shares'
import classes from './sites.module.css'
import { NOTHING_TYPED, savedOf, supposedOf, type TypedWhatIf } from './suppose'

/** How a site would share its power with other limits, another building load, more cars or fewer. */
export function WhatIfTab({ site }: { site: Site }) {
  const live = useSite(site.id)
  const stations = useStationsOf(site.id)
  const [typed, setTyped] = useState<TypedWhatIf>(NOTHING_TYPED)
  const { errors, rest, busy, blame, forgive, send } = useSending(['gridCapacityKw'], { lists: ['circuits'] })
  const refresh = useRefresh(site.id)
  const circuits = circuitNames(site)
  const { supposed, problems } = useMemo(() => supposedOf(site, typed), [site, typed])
  const saved = savedOf(supposed)
  const wrong = { ...problems, ...errors }

  const busyPlaces = new Set((live?.sessions ?? []).map((load) => `${load.chargerId} ${load.connectorId}`))
  const names = new Map(stations.map(({ id, name }) => [id, name]))
  const free = site.chargers.flatMap(({ id, connectors }) =>
    Array.from({ length: connectors ?? 1 }, (_, at) => ({
      value: `${at + 1} ${id}`,
      label: `${names.get(id) ?? id} · ${at + 1}`,
      taken: busyPlaces.has(`${id} ${at + 1}`),
    })).filter(({ taken }) => !taken),
  )
  const charging = (live?.sessions ?? []).map(({ id, chargerId, connectorId }) => ({
    value: id,
    label: `${names.get(chargerId) ?? chargerId} · ${connectorId}`,
  }))

  function set(change: Partial<TypedWhatIf>) {
    setTyped((before) => ({ ...before, ...change }))
    for (const path of Object.keys(errors)) forgive(path)
  }

  const save = () =>
    send(async () => {
      if (saved === null) return
      await sendJson('PATCH', pathOf(site.id), saved)
      await refresh()
      setTyped(({ gridCapacityKw: _, circuitsKw: __, ...others }) => ({
        ...others,
        gridCapacityKw: '',
        circuitsKw: {},
      }))
      blame({})
      tellDone('Saved.')
    })

  return (
    <div className={classes.beside}>
      <Section
        title="Suppose"
        about="What is left empty stays as it is. Nothing is sent or stored until you save."
      >
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
          <TextInput
            label="Grid connection, kW"
            inputMode="decimal"
            placeholder={String(site.gridCapacityKw)}
            value={typed.gridCapacityKw}
            error={wrong.gridCapacityKw}
            onChange={(event) => set({ gridCapacityKw: event.currentTarget.value })}
          />
          <TextInput
            label="The building draws, kW"
            inputMode="decimal"
            placeholder="as it is"
            value={typed.buildingKw}
            error={wrong.buildingKw}
            onChange={(event) => set({ buildingKw: event.currentTarget.value })}
          />
          {site.circuits.map((circuit, at) => (
            <TextInput
              key={circuit.id}
              label={`Circuit ${circuit.name ?? circuit.id}, kW`}
              inputMode="decimal"
              placeholder={String(circuit.limitKw)}
              value={typed.circuitsKw[circuit.id] ?? ''}
              error={wrong[`circuits.${at}.limitKw`]}
              onChange={(event) =>
                set({ circuitsKw: { ...typed.circuitsKw, [circuit.id]: event.currentTarget.value } })
              }
            />
          ))}
        </SimpleGrid>
        <MultiSelect
          mt="sm"
          label="Cars that come"
          placeholder={typed.cars.length === 0 ? 'Free connectors' : undefined}
          searchable
          clearable
          limit={60}
          data={free.map(({ value, label }) => ({ value, label }))}
          value={typed.cars as string[]}
          onChange={(cars) => set({ cars })}
        />
        <MultiSelect
          mt="sm"
          label="Sessions that end"
          placeholder={typed.without.length === 0 ? 'Those that charge now' : undefined}
          searchable
          clearable
          limit={60}
          data={charging}
          value={typed.without.filter((id) => charging.some(({ value }) => value === id))}
          onChange={(without) => set({ without })}
        />
        {wrong.circuits && (
          <p role="alert" className={classes.wrong}>
            {wrong.circuits}
          </p>
        )}
        <FormEnd rest={rest}>
          <Button variant="default" onClick={() => set(NOTHING_TYPED)} disabled={supposed === null}>
            Clear
          </Button>
          <Button loading={busy} disabled={saved === null} onClick={() => void save()}>
            Save the limits
          </Button>
        </FormEnd>
      </Section>
      <Section title="What would be decided">
        <Preview
          siteId={site.id}
          supposed={supposed}
          circuits={circuits}
          idle="Suppose something: what every session and circuit would get shows up here."
        />
      </Section>
    </div>
  )
}
