import { Autocomplete, type AutocompleteProps, Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ok } from '@/api/client'
import { count } from '@/parts/format'

const MOST = 50

/** Returns groups of tags that have a text in their names; the server looks for them. */
function useGroups(text: string) {
  const [wanted] = useDebouncedValue(text.trim(), 250)
  return useQuery({
    queryKey: ['id-tags', 'groups', wanted],
    queryFn: async () => {
      const query = { limit: MOST, ...(wanted === '' ? {} : { q: wanted }) }
      return (await ok(api.GET('/api/id-tag-groups', { params: { query } }))).items
    },
    placeholderData: (before) => before,
  })
}

interface GroupSelectProps {
  value: string | undefined
  onChange: (group: string | undefined) => void
}

/** Chooses a group of tags, or any. */
export function GroupSelect({ value, onChange }: GroupSelectProps) {
  const [text, setText] = useState('')
  // the label of the chosen one is no search
  const groups = useGroups(/ \(\d[\d,]*\)$/.test(text) || text === value ? '' : text).data ?? []
  const choices = groups.map(({ parentIdTag, members }) => ({
    value: parentIdTag,
    label: `${parentIdTag} (${count(members)})`,
  }))
  const known = value === undefined || choices.some((choice) => choice.value === value)
  return (
    <Select
      aria-label="Group"
      placeholder="Any group"
      clearable
      searchable
      nothingFoundMessage="No such group"
      w={{ base: '100%', xs: 200 }}
      searchValue={text}
      onSearchChange={setText}
      filter={({ options }) => options}
      value={value ?? null}
      onChange={(group) => onChange(group ?? undefined)}
      data={known ? choices : [{ value: value as string, label: value as string }, ...choices]}
    />
  )
}

/** The group of a tag, typed: one that is there, or a new one. */
export function GroupInput({
  value,
  onChange,
  ...input
}: Omit<AutocompleteProps, 'data' | 'filter' | 'value' | 'onChange'> & {
  value: string
  onChange: (group: string) => void
}) {
  const groups = useGroups(value).data ?? []
  return (
    <Autocomplete
      maxLength={20}
      {...input}
      value={value}
      onChange={onChange}
      filter={({ options }) => options}
      data={groups.map(({ parentIdTag }) => parentIdTag)}
    />
  )
}
