import { Select, type SelectProps } from '@mantine/core'
import { useMemo } from 'react'
import { useStations } from '@/live/hooks'

interface StationSelectProps
  extends Omit<SelectProps, 'data' | 'value' | 'onChange' | 'searchable' | 'clearable' | 'limit'> {
  /** The id of the chosen station; without one: any. */
  value: string | null | undefined
  onChange: (stationId: string | null) => void
}

/** Chooses one of all stations, by name or id, or any. */
export function StationSelect({ value, onChange, ...select }: StationSelectProps) {
  const stations = useStations()
  const choices = useMemo(() => {
    const all = stations.map(({ id, name }) => ({ value: id, label: name === id ? id : `${name} (${id})` }))
    // a link may name one that is no station any more
    return value && !stations.some(({ id }) => id === value) ? [{ value, label: value }, ...all] : all
  }, [stations, value])
  return (
    <Select
      {...(select.label ? {} : { 'aria-label': 'Station' })}
      placeholder="Any station"
      clearable
      searchable
      limit={100}
      nothingFoundMessage="No such station"
      w={{ base: '100%', xs: 220 }}
      {...select}
      value={value ?? null}
      onChange={onChange}
      data={choices}
    />
  )
}
