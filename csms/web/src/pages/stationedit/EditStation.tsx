import { Modal } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { sendJson } from '@/api/client'
import type { components } from '@/api/schema'
import { tellDone } from '@/parts/notices'
import { StationForm } from './StationForm'
import { NEW, typedOf } from './station'

type Station = components['schemas']['StationOut']

/** Changes what is said of a station. */
export function EditStation({ station, close }: { station: Station; close: () => void }) {
  const queries = useQueryClient()
  // what comes live meanwhile does not change what is typed
  // biome-ignore lint/correctness/useExhaustiveDependencies: as it was when the form was opened
  const start = useMemo(() => typedOf(station), [])
  return (
    <Modal opened onClose={close} title={`Edit ${station.name}`} size="lg">
      <StationForm
        known
        start={start}
        submit="Save"
        cancel={close}
        save={async (body) => {
          if (Object.keys(body).length > 0) {
            await sendJson('PATCH', `/api/stations/${encodeURIComponent(station.id)}`, body)
            await queries.invalidateQueries({ queryKey: ['stations', station.id] })
            tellDone('Saved.')
          }
          close()
        }}
      />
    </Modal>
  )
}

interface AddStationProps {
  close: () => void
  added: (station: Station) => void
}

/** Adds a station by hand, before it has connected. */
export function AddStation({ close, added }: AddStationProps) {
  return (
    <Modal opened onClose={close} title="Add a station" size="lg">
      <StationForm
        start={NEW}
        submit="Add"
        cancel={close}
        save={async (body) => added(await sendJson<Station>('POST', '/api/stations', body))}
      />
    </Modal>
  )
}
