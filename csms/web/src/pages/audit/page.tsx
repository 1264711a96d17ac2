import { Button, Group, Select, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { CsvButton } from '@/parts/CsvButton'
import { DayRange } from '@/parts/DayRange'
import { momentOf } from '@/parts/days'
import { EmptyState } from '@/parts/EmptyState'
import { Listing, useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import classes from './audit.module.css'
import { type Change, changesOf } from './changes'
import { nameOf, OBJECT_TYPES, objectOf, phraseOf, placeOf } from './words'

type Entry = components['schemas']['AuditOut']

interface Search {
  actor?: string | undefined
  objectType?: string | undefined
  objectId?: string | undefined
  from?: string | undefined
  to?: string | undefined
}

const SHORT = 5

/** Who did what to which object. */
export default function AuditPage() {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const set = (change: Search) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })
  const [query] = useDebouncedValue(queryOf(search), 250)
  const list = useListing<Entry>(`/api/audit?${query}`, 15, { keeps: true })
  const filtered = query !== ''
  const text = (name: 'actor' | 'objectId') => ({
    value: search[name] ?? '',
    onChange: (event: { currentTarget: { value: string } }) =>
      set({ [name]: event.currentTarget.value || undefined }),
  })
  return (
    <>
      <PageHeader
        title="Audit trail"
        subtitle="Each change by somebody, the newest first; secrets are never in it."
        actions={<CsvButton path={query === '' ? '/api/audit' : `/api/audit?${query}`} name="audit.csv" />}
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Audit trail" align="flex-end">
        <TextInput
          data-filter
          label="Who"
          placeholder="The whole name"
          w={{ base: '100%', xs: 180 }}
          {...text('actor')}
        />
        <Select
          label="What kind"
          placeholder="Anything"
          clearable
          searchable
          w={{ base: '100%', xs: 190 }}
          value={search.objectType ?? null}
          onChange={(value) => set({ objectType: value ?? undefined })}
          data={OBJECT_TYPES.map((value) => ({ value, label: objectOf(value) }))}
        />
        <TextInput
          label="Which"
          placeholder="The whole id"
          w={{ base: '100%', xs: 180 }}
          {...text('objectId')}
        />
        <DayRange from={search.from} to={search.to} set={set} />
      </Group>
      {list.items?.length === 0 ? (
        <EmptyState
          icon={filtered ? 'filter' : 'clock'}
          title={filtered ? 'No entry passes the filter' : 'Nothing has been changed yet'}
          action={
            filtered && (
              <Button
                variant="default"
                onClick={() =>
                  set({
                    actor: undefined,
                    objectType: undefined,
                    objectId: undefined,
                    from: undefined,
                    to: undefined,
                  })
                }
              >
                Show all
              </Button>
            )
          }
        >
          {filtered ? 'Names and ids are compared as a whole.' : 'Each change shows here with who made it.'}
        </EmptyState>
      ) : (
        <section className="card" style={{ padding: '4px 14px 12px' }} aria-label="Entries">
          <Listing
            label="Audit trail"
            list={list}
            rowKey={(row) => row.id}
            empty=""
            stacked
            columns={[
              { header: 'When', fixed: true, cell: (row) => <Ago at={row.at} /> },
              { header: 'Who', cell: (row) => row.actor },
              {
                header: 'What',
                wide: true,
                cell: (row) => (
                  <>
                    <What row={row} />
                    <Details row={row} />
                  </>
                ),
              },
            ]}
          />
        </section>
      )}
    </>
  )
}

function What({ row }: { row: Entry }) {
  const place = placeOf(row.objectType, row.objectId, row.action)
  const name = nameOf(row)
  return (
    <>
      {phraseOf(row)}{' '}
      {name !== null &&
        (place === null ? (
          <b>{name}</b>
        ) : (
          <PageLink {...place} className="row-link">
            {name}
          </PageLink>
        ))}
    </>
  )
}

function Details({ row }: { row: Entry }) {
  const [all, setAll] = useState(false)
  const changes = changesOf(row)
  const shown = all ? changes : changes.slice(0, SHORT)
  if (changes.length === 0) return null
  return (
    <>
      <ul className={classes.changes}>
        {shown.map((change) => (
          <Line key={change.label} change={change} />
        ))}
      </ul>
      {changes.length > SHORT && (
        <Button
          variant="subtle"
          size="compact-xs"
          aria-expanded={all}
          aria-label={`${all ? 'Fewer' : `${changes.length - SHORT} more`} details of entry ${row.id}`}
          onClick={() => setAll(!all)}
        >
          {all ? 'Fewer' : `${changes.length - SHORT} more`}
        </Button>
      )}
    </>
  )
}

function Line({ change: { label, before, after } }: { change: Change }) {
  return (
    <li>
      <span className="dimmed">{label}:</span>{' '}
      {before !== null && (
        <>
          <del>{before}</del> <span aria-hidden="true">→ </span>
        </>
      )}
      <ins>{after}</ins>
    </li>
  )
}

function queryOf(search: Search): string {
  const query = new URLSearchParams()
  for (const name of ['actor', 'objectType', 'objectId'] as const) {
    const text = search[name]?.trim()
    if (text) query.set(name, text)
  }
  const [from, to] = [momentOf(search.from), momentOf(search.to, true)]
  if (from) query.set('from', from)
  if (to) query.set('to', to)
  return query.toString()
}
