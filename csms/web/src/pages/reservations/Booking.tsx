import { Button, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { sendJson } from '@/api/client'
import { Problem } from '@/api/problem'
import { useStations } from '@/live/hooks'
import { FormEnd } from '@/parts/FormEnd'
import { tellDone, tellProblem } from '@/parts/notices'
import { useSending } from '@/parts/sending'
import { TagInput } from '@/parts/TagInput'
import { localTime } from '../stationcalls/schema'
import { bodyOf, FIELDS, pathOf, type Reservation, type Typed } from './booking'

interface BookingProps {
  /** The reservation that is changed; without it a new one is made. */
  known?: Reservation
  stationId?: string | undefined
  /** Only there. */
  here?: boolean
  close: () => void
}

/** Makes or changes a reservation: done when the station has said yes. */
export function Booking({ known, stationId = '', here = false, close }: BookingProps) {
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
  // closed while the station is asked: its answer is told all the same
  const open = useRef(true)
  useEffect(() => {
    open.current = true
    return () => {
      open.current = false
    }
  }, [])
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
    const again = (options = {}) => void queries.invalidateQueries({ queryKey: ['reservations'] }, options)
    await send(async () => {
      // it stands in the list as pending as soon as the call is on its way; an answer that takes longer
      // than the next look is waited for
      const looking = setInterval(() => again({ cancelRefetch: false }), 700)
      try {
        const made = known
          ? await sendJson<Reservation>('PATCH', pathOf(known), body)
          : await sendJson<Reservation>('POST', '/api/reservations', body)
        if (made.status === 'refused')
          throw new Problem(409, 'refused', 'The station has refused it: nothing is kept there.')
        tellDone(`The station keeps it for ${made.idTag}.`)
        if (open.current) close()
      } catch (error) {
        if (!open.current) tellProblem(error, `Not reserved for ${typed.idTag.trim()}`)
        throw error
      } finally {
        clearInterval(looking)
        again()
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
            disabled={known !== undefined || here}
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
          <TagInput
            label="Id tag"
            description="A part of it or of its owner's name finds it."
            withAsterisk
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
          {busy && (
            <Text size="sm" c="dimmed" role="status">
              Waiting for the station's answer …
            </Text>
          )}
        </Stack>
        <FormEnd rest={rest}>
          <Button variant="default" onClick={close}>
            Close
          </Button>
          <Button type="submit" loading={busy}>
            {known ? 'Change' : 'Reserve'}
          </Button>
        </FormEnd>
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
