import { Alert, Autocomplete, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { useStations } from '@/live/hooks'
import { tellDone } from '@/parts/notices'
import { useSending } from '@/parts/sending'
import { localTime } from '../stationcalls/schema'
import { bodyOf, FIELDS, pathOf, type Reservation, type Typed } from './booking'

type Tags = components['schemas']['Page_IdTagOut_']

interface BookingProps {
  /** The reservation that is changed; without it a new one is made. */
  known?: Reservation
  stationId?: string | undefined
  close: () => void
}

/** Makes or changes a reservation: done when the station has said yes. */
export function Booking({ known, stationId = '', close }: BookingProps) {
  const stations = useStations()
  const queries = useQueryClient()
  const [before] = useState<Typed | undefined>(() => known && typedOf(known))
  const [typed, setTyped] = useState<Typed>(
    () =>
      before ?? {
        stationId,
        connectorId: '0',
        idTag: '',
        expiresAt: minutes(new Date(Date.now() + 3600_000).toISOString()),
      },
  )
  const { errors, rest, busy, forgive, blame, send } = useSending(FIELDS)
  const tags = useQuery({
    queryKey: ['id-tags', 'newest'],
    queryFn: () => sendJson<Tags>('GET', '/api/id-tags?limit=1000'),
    staleTime: 60_000,
  })
  const suggested = useMemo(() => [...new Set((tags.data?.items ?? []).map((tag) => tag.idTag))], [tags.data])
  const station = stations.find((each) => each.id === typed.stationId)
  const outlets = (station?.connectors ?? []).filter((each) => each.connectorId > 0)

  function set(name: keyof Typed, value: string) {
    setTyped((now) => ({ ...now, [name]: value, ...(name === 'stationId' ? { connectorId: '0' } : {}) }))
    forgive(name)
  }

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = bodyOf(typed, Date.now(), before)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(async () => {
      try {
        const made = known
          ? await sendJson<Reservation>('PATCH', pathOf(known), body)
          : await sendJson<Reservation>('POST', '/api/reservations', body)
        if (made.status === 'refused')
          throw new Problem(409, 'refused', 'The station has refused it: nothing is kept there.')
        tellDone(`The station keeps it for ${made.idTag}.`)
        close()
      } finally {
        void queries.invalidateQueries({ queryKey: ['reservations'] })
      }
    })
  }

  return (
    <Modal opened onClose={close} title={known ? `Change the reservation of ${known.idTag}` : 'Reserve'}>
      <form onSubmit={go} noValidate>
        <Stack gap="sm">
          <Select
            label="Station"
            withAsterisk
            searchable
            limit={100}
            allowDeselect={false}
            nothingFoundMessage="No such station"
            disabled={known !== undefined}
            value={typed.stationId || null}
            onChange={(value) => set('stationId', value ?? '')}
            error={errors.stationId}
            {...(station && !station.online ? { description: 'It is offline: it cannot be asked now.' } : {})}
            data={stations.map(({ id, name }) => ({
              value: id,
              label: name === id ? id : `${name} (${id})`,
            }))}
          />
          <Select
            label="Connector"
            allowDeselect={false}
            value={typed.connectorId}
            onChange={(value) => set('connectorId', value ?? '0')}
            error={errors.connectorId}
            data={[
              { value: '0', label: 'Any' },
              ...outlets.map(({ connectorId }) => ({
                value: String(connectorId),
                label: `Connector ${connectorId}`,
              })),
            ]}
          />
          <Autocomplete
            label="Id tag"
            withAsterisk
            limit={50}
            data={suggested}
            value={typed.idTag}
            onChange={(value) => set('idTag', value)}
            error={errors.idTag}
          />
          <TextInput
            label="Until"
            description="In the time zone of this browser."
            withAsterisk
            type="datetime-local"
            value={typed.expiresAt}
            onChange={(event) => set('expiresAt', event.currentTarget.value)}
            error={errors.expiresAt}
          />
          {rest !== null && (
            <Alert color="red" role="alert">
              {rest}
            </Alert>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Close
            </Button>
            <Button type="submit" loading={busy}>
              {known ? 'Change' : 'Reserve'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

function typedOf(known: Reservation): Typed {
  return {
    stationId: known.stationId,
    connectorId: String(known.connectorId),
    idTag: known.idTag,
    expiresAt: minutes(known.expiresAt),
  }
}

function minutes(at: string): string {
  return localTime(at).slice(0, 16)
}
