import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { asProblem, formErrors, Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { type ListColumn, Listing, useListing } from '@/parts/Listing'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import { localTime } from '../stationcalls/schema'
import type { Station } from './data'

type Reservation = components['schemas']['ReservationOut']

/** Who has reserved what at this station. */
export function Reservations({ station }: { station: Station }) {
  const { may } = useMe()
  const path = `/api/reservations?stationId=${encodeURIComponent(station.id)}&limit=10`
  const list = useListing<Reservation>(path)
  const columns: ListColumn<Reservation>[] = [
    { header: 'Connector', cell: (row) => (row.connectorId === 0 ? 'any' : row.connectorId) },
    { header: 'Id tag', cell: (row) => row.idTag },
    {
      header: 'State',
      cell: (row) => (
        <>
          <StatusBadge status={row.status === 'active' ? 'Reserved' : row.status} />
          {!row.confirmed && <span className="dimmed"> not confirmed</span>}
        </>
      ),
    },
    { header: 'Until', cell: (row) => <Ago at={row.expiresAt} />, align: 'right' },
    {
      header: '',
      align: 'right',
      cell: (row) =>
        may('operator') &&
        row.status === 'active' && (
          <ConfirmAction
            size="compact-xs"
            title={`Cancel the reservation of ${row.idTag}?`}
            text="The station frees the connector; whoever it was kept for is not told by us."
            confirm="Cancel it"
            act={() =>
              sendJson(
                'DELETE',
                `/api/reservations/${row.reservationId}?stationId=${encodeURIComponent(station.id)}`,
              )
            }
            onDone={() => void list.refetch()}
          >
            Cancel
          </ConfirmAction>
        ),
    },
  ]
  return (
    <Section
      title="Reservations"
      actions={may('operator') && station.online && <Reserve station={station} />}
    >
      <Listing
        label="Reservations"
        list={list}
        columns={columns}
        rowKey={(row, index) => `${row.reservationId} ${index}`}
        empty="Nothing is reserved here."
      />
    </Section>
  )
}

function Reserve({ station }: { station: Station }) {
  const [opened, { open, close }] = useDisclosure(false)
  const queries = useQueryClient()
  const [connectorId, setConnector] = useState('0')
  const [idTag, setIdTag] = useState('')
  const [until, setUntil] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const errors = problem && formErrors(problem, ['idTag', 'connectorId', 'expiresAt'])
  const outlets = station.connectors.filter((each) => each.connectorId > 0)

  async function reserve(event: FormEvent) {
    event.preventDefault()
    setProblem(null)
    const at = new Date(until)
    if (idTag.trim() === '' || Number.isNaN(at.getTime())) {
      setProblem(
        new Problem(422, 'empty', '', {
          ...(idTag.trim() === '' ? { idTag: 'This is needed' } : {}),
          ...(Number.isNaN(at.getTime()) ? { expiresAt: 'Must be a time' } : {}),
        }),
      )
      return
    }
    setBusy(true)
    try {
      const made = await sendJson<Reservation>('POST', '/api/reservations', {
        stationId: station.id,
        connectorId: Number(connectorId),
        idTag: idTag.trim(),
        expiresAt: at.toISOString(),
      })
      if (made.status === 'refused')
        throw new Problem(409, 'refused', 'The station has refused to reserve it.')
      close()
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
      void queries.invalidateQueries({ queryKey: ['reservations'] })
    }
  }

  return (
    <>
      <Button
        variant="default"
        onClick={() => {
          setUntil(
            (before) => before || localTime(new Date(Date.now() + 3600_000).toISOString()).slice(0, 16),
          )
          open()
        }}
      >
        Reserve
      </Button>
      <Modal opened={opened} onClose={close} title={`Reserve at ${station.name}`}>
        <form onSubmit={reserve}>
          <Stack gap="sm">
            <Select
              label="Connector"
              allowDeselect={false}
              value={connectorId}
              onChange={(value) => setConnector(value ?? '0')}
              data={[
                { value: '0', label: 'Any' },
                ...outlets.map((each) => ({
                  value: String(each.connectorId),
                  label: `Connector ${each.connectorId}`,
                })),
              ]}
              error={errors?.fields.connectorId}
            />
            <TextInput
              label="Id tag"
              withAsterisk
              maxLength={20}
              value={idTag}
              onChange={(event) => setIdTag(event.currentTarget.value)}
              error={errors?.fields.idTag}
            />
            <TextInput
              label="Until"
              withAsterisk
              type="datetime-local"
              value={until}
              onChange={(event) => setUntil(event.currentTarget.value)}
              error={errors?.fields.expiresAt}
            />
            {errors?.rest && (
              <Text size="sm" c="var(--csms-bad)" role="alert">
                {errors.rest}
              </Text>
            )}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Close
              </Button>
              <Button type="submit" loading={busy}>
                Reserve
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  )
}
