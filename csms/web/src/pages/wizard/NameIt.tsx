import { Button, Group, Loader, Select, SimpleGrid, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api, ok, sendJson } from '@/api/client'
import type { Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { useLoaded, useSites } from '@/live/hooks'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { useSending } from '@/parts/sending'

type Station = components['schemas']['StationOut']

interface NameItProps {
  stationId: string
  done: () => void
}

/** What operators call it, what it can, and at which site it stands. */
export function NameIt({ stationId, done }: NameItProps) {
  const found = useQuery<Station, Problem>({
    queryKey: ['stations', stationId],
    queryFn: () => ok(api.GET('/api/stations/{stationId}', { params: { path: { stationId } } })),
  })
  const sites = useLoaded('sites')
  if (found.error) return <ProblemNotice problem={found.error} retry={() => void found.refetch()} />
  if (found.data === undefined || !sites) return <Loader aria-label="Loading" />
  return <Form station={found.data} done={done} />
}

function Form({ station, done }: { station: Station; done: () => void }) {
  const queries = useQueryClient()
  const sites = useSites()
  const [name, setName] = useState(station.name)
  const [maxKw, setMaxKw] = useState(station.maxKw === null ? '' : String(station.maxKw))
  // the only site there is will be the one
  const [siteId, setSiteId] = useState(station.siteId ?? (sites.length === 1 ? (sites[0]?.id ?? '') : ''))
  const { errors, rest, busy, forgive, blame, send } = useSending(['name', 'maxKw', 'siteId'])

  async function save(event: FormEvent) {
    event.preventDefault()
    const kw = Number(maxKw.trim().replace(',', '.'))
    const problems: Record<string, string> = {}
    if (name.trim() === '') problems.name = 'This is needed'
    if (maxKw.trim() === '') problems.maxKw = 'This is needed'
    else if (!Number.isFinite(kw)) problems.maxKw = 'Must be a number'
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(async () => {
      const body: Record<string, unknown> = {}
      if (name.trim() !== station.name) body.name = name.trim()
      if (kw !== station.maxKw) body.maxKw = kw
      if (siteId !== (station.siteId ?? '')) body.siteId = siteId === '' ? null : siteId
      if (Object.keys(body).length > 0)
        await sendJson('PATCH', `/api/stations/${encodeURIComponent(station.id)}`, body)
      await queries.invalidateQueries({ queryKey: ['stations', station.id] })
      done()
    })
  }

  return (
    <form onSubmit={save} noValidate aria-label="Name and site">
      <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm" verticalSpacing="sm">
        <TextInput
          label="Name"
          withAsterisk
          maxLength={255}
          value={name}
          error={errors.name}
          onChange={(event) => {
            setName(event.currentTarget.value)
            forgive('name')
          }}
        />
        <TextInput
          label="Most power, kW"
          withAsterisk
          inputMode="decimal"
          value={maxKw}
          error={errors.maxKw}
          onChange={(event) => {
            setMaxKw(event.currentTarget.value)
            forgive('maxKw')
          }}
        />
        <Select
          label="Site"
          allowDeselect={false}
          value={siteId}
          error={errors.siteId}
          onChange={(value) => {
            setSiteId(value ?? '')
            forgive('siteId')
          }}
          data={[{ value: '', label: 'None' }, ...sites.map(({ id, name }) => ({ value: id, label: name }))]}
        />
      </SimpleGrid>
      <Text size="sm" c="dimmed" mt="xs">
        {sites.length === 0 ? (
          <>
            There is no <PageLink to="/sites">site</PageLink> yet. A site shares its power among its chargers;
            you may make one later.
          </>
        ) : (
          'At a site its power is shared with the other chargers there; limits are sent to it from then on.'
        )}
      </Text>
      {rest && (
        <Text size="sm" c="var(--csms-bad)" role="alert" mt="sm">
          {rest}
        </Text>
      )}
      <Group gap="xs" mt="md">
        <Button type="submit" loading={busy}>
          Save and go on
        </Button>
      </Group>
    </form>
  )
}
