import { TextInput } from '@mantine/core'

interface DayRangeProps {
  from: string | undefined
  to: string | undefined
  set: (change: { from?: string | undefined; to?: string | undefined }) => void
  /** Labels are read aloud only. */
  bare?: boolean
}

/** From a day to a day, both in; either may be left open. */
export function DayRange({ from, to, set, bare = false }: DayRangeProps) {
  const name = (label: string) => (bare ? { 'aria-label': label } : { label })
  const wrong = from && to && from > to ? 'Before the first day' : undefined
  return (
    <>
      <TextInput
        {...name('From')}
        type="date"
        w={150}
        value={from ?? ''}
        max={to}
        onChange={(event) => set({ from: event.currentTarget.value || undefined })}
      />
      <TextInput
        {...name('To')}
        type="date"
        w={150}
        value={to ?? ''}
        min={from}
        error={wrong}
        onChange={(event) => set({ to: event.currentTarget.value || undefined })}
      />
    </>
  )
}
