import { Autocomplete, type AutocompleteProps } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, ok } from '@/api/client'

const MOST = 20

interface TagInputProps
  extends Omit<AutocompleteProps, 'data' | 'filter' | 'renderOption' | 'limit' | 'value' | 'onChange'> {
  value: string
  onChange: (idTag: string) => void
}

/** An id tag, typed or found by a part of it or of its owner's name; the server looks for it. */
export function TagInput({ value, onChange, ...input }: TagInputProps) {
  const [text] = useDebouncedValue(value.trim(), 250)
  const found = useQuery({
    queryKey: ['id-tags', 'choice', text],
    queryFn: async () => {
      const query = { limit: MOST, ...(text === '' ? {} : { q: text }) }
      return (await ok(api.GET('/api/id-tags', { params: { query } }))).items
    },
    staleTime: 30_000,
    placeholderData: (before) => before,
  })
  const names = useMemo(() => new Map(found.data?.map(({ idTag, name }) => [idTag, name])), [found.data])
  return (
    <Autocomplete
      maxLength={20}
      openOnFocus={false}
      {...input}
      value={value}
      onChange={onChange}
      data={[...names.keys()]}
      filter={({ options }) => options}
      renderOption={({ option }) => (
        <span>
          {option.value} <span className="dimmed">{names.get(option.value)}</span>
        </span>
      )}
    />
  )
}
