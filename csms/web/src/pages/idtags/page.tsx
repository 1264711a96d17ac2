import { Button, Group, Modal, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useDeferredValue, useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { Problem } from '@/api/problem'
import { Ago } from '@/parts/Ago'
import { CsvButton } from '@/parts/CsvButton'
import { CsvImport } from '@/parts/CsvImport'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { everyPage, type Followed } from '@/parts/everyPage'
import { count } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StatusBadge } from '@/parts/StatusBadge'
import { Learn } from './Learn'
import { pathOf, TagForm } from './TagForm'
import { type Group as Family, filtered, groupsOf, type IdTag, type State, stateOf } from './tags'

interface Search {
  search?: string | undefined
  state?: State | undefined
  group?: string | undefined
  /** The tag whose form is open. */
  tag?: string | undefined
}

type Dialog = { kind: 'add'; learned?: string } | { kind: 'learn' } | { kind: 'import' }

const EXAMPLE = `idTag,name,parentIdTag,expiresAt,maxActiveSessions
04A1B2C3D4,Ada Lovelace,FLEET,2027-12-31T23:00:00Z,1
04E5F60718,Workshop,,,`

/** Id tags: who may charge. */
export default function IdTagsPage() {
  const { may } = useMe()
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const set = (change: Search) =>
    void navigate({
      to: '.',
      search: ((before: Search) => ({ ...before, ...change })) as never,
      replace: true,
    })
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const close = () => setDialog(null)
  const list = useQuery<Followed<IdTag>, Problem>({
    queryKey: ['id-tags', 'all'],
    queryFn: () => everyPage<IdTag>('/api/id-tags'),
    refetchInterval: 60_000,
  })
  const tags = list.data?.items
  const groups = useMemo(() => groupsOf(tags ?? []), [tags])
  const text = useDeferredValue(search.search)
  const rows = useMemo(
    () => filtered(tags ?? [], { search: text, state: search.state, group: search.group }, Date.now()),
    [tags, text, search.state, search.group],
  )
  const none = tags !== undefined && tags.length === 0

  return (
    <>
      <PageHeader
        title="Id tags"
        subtitle={
          tags === undefined ? 'Who may charge' : told(rows.length, tags.length, list.data?.more ?? false)
        }
        actions={
          <>
            <CsvButton path="/api/id-tags" name="id-tags.csv" />
            {may('operator') && (
              <>
                <Button
                  variant="default"
                  leftSection={<Icon name="upload" size={14} />}
                  onClick={() => setDialog({ kind: 'import' })}
                >
                  Import
                </Button>
                <Button variant="default" onClick={() => setDialog({ kind: 'learn' })}>
                  Learn the next tag
                </Button>
                <Button
                  leftSection={<Icon name="plus" size={14} />}
                  onClick={() => setDialog({ kind: 'add' })}
                >
                  Add
                </Button>
              </>
            )}
          </>
        }
      />
      <Group gap="xs" mb="sm" role="search" aria-label="Id tags">
        <TextInput
          data-filter
          aria-label="Search"
          placeholder="Tag or name"
          leftSection={<Icon name="search" size={15} />}
          w={{ base: '100%', xs: 220 }}
          value={search.search ?? ''}
          onChange={(event) => set({ search: event.currentTarget.value || undefined })}
        />
        <SegmentedControl
          aria-label="State"
          size="xs"
          value={search.state ?? 'all'}
          onChange={(value) => set({ state: value === 'all' ? undefined : (value as State) })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'valid', label: 'Valid' },
            { value: 'blocked', label: 'Blocked' },
            { value: 'expired', label: 'Expired' },
          ]}
        />
        <Select
          aria-label="Group"
          placeholder="Any group"
          clearable
          searchable
          limit={100}
          nothingFoundMessage="No such group"
          w={{ base: '100%', xs: 200 }}
          value={search.group ?? null}
          onChange={(value) => set({ group: value ?? undefined })}
          data={groups.map(({ id, members }) => ({ value: id, label: `${id} (${count(members)})` }))}
        />
      </Group>
      {list.error && !tags ? (
        <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
      ) : (
        <DataTable
          label="Id tags"
          columns={COLUMNS}
          rows={rows}
          rowKey={(tag) => tag.idTag}
          onOpen={(tag) => set({ tag: tag.idTag })}
          empty={
            tags === undefined ? (
              <EmptyState icon="tag" title="Loading …" />
            ) : none ? (
              <EmptyState
                icon="tag"
                title="No id tag yet"
                action={
                  may('operator') && (
                    <Button onClick={() => setDialog({ kind: 'learn' })}>Learn the next tag</Button>
                  )
                }
              >
                Without tags only sessions that are started from here, or by open driver pages, are allowed.
              </EmptyState>
            ) : (
              <EmptyState icon="filter" title="No tag matches">
                Take a filter away.
              </EmptyState>
            )
          }
        />
      )}
      {search.tag !== undefined && tags !== undefined && (
        <Opened
          key={search.tag}
          idTag={search.tag}
          list={list.data}
          groups={groups}
          close={() => set({ tag: undefined })}
        />
      )}
      {dialog?.kind === 'add' && (
        <TagForm groups={groups} close={close} {...(dialog.learned ? { learned: dialog.learned } : {})} />
      )}
      {dialog?.kind === 'learn' && (
        <Learn close={close} learned={(learned) => setDialog({ kind: 'add', learned })} />
      )}
      {dialog?.kind === 'import' && (
        <CsvImport
          title="Import id tags from CSV"
          path="/api/id-tags/import"
          about="The first line names the columns: idTag, and any of name, status (Accepted or Blocked), parentIdTag (the group), expiresAt and maxActiveSessions. An export of this list can be taken as it is."
          example={EXAMPLE}
          close={close}
          done={() => void list.refetch()}
        />
      )}
    </>
  )
}

interface OpenedProps {
  idTag: string
  list: Followed<IdTag> | undefined
  groups: readonly Family[]
  close: () => void
}

/** The tag that the address names; one that is not there can be added. */
function Opened({ idTag, list, groups, close }: OpenedProps) {
  const listed = list?.items.find((tag) => tag.idTag.toUpperCase() === idTag.toUpperCase())
  const asked = useQuery<IdTag, Problem>({
    queryKey: ['id-tags', 'one', idTag],
    queryFn: () => sendJson<IdTag>('GET', pathOf(idTag)),
    // only one that may stand beyond what the list was followed to
    enabled: listed === undefined && list?.more === true,
    gcTime: 0,
  })
  const { may } = useMe()
  const tag = listed ?? asked.data
  if (tag) return <TagForm tag={tag} groups={groups} close={close} />
  if (asked.isFetching) return null
  if (may('operator')) return <TagForm learned={idTag} groups={groups} close={close} />
  return (
    <Modal opened onClose={close} title={`Id tag ${idTag}`}>
      This tag is not in the list: chargers that ask are told that it is invalid.
    </Modal>
  )
}

function told(shown: number, all: number, more: boolean): string {
  const whole = `${count(all)}${more ? ' of the newest' : ''}`
  return shown === all ? `Who may charge: ${whole}` : `${count(shown)} of ${whole}`
}

const STATES: Readonly<Record<State, { status: string; text: string }>> = {
  valid: { status: 'Accepted', text: 'Valid' },
  blocked: { status: 'Blocked', text: 'Blocked' },
  expired: { status: 'expired', text: 'Expired' },
}

const COLUMNS: readonly Column<IdTag>[] = [
  {
    id: 'idTag',
    header: 'Id tag',
    cell: (tag) => <OpenLink idTag={tag.idTag} />,
    value: (tag) => tag.idTag,
  },
  { id: 'name', header: 'Name', cell: (tag) => tag.name ?? '–', value: (tag) => tag.name },
  {
    id: 'state',
    header: 'State',
    width: 120,
    cell: (tag) => <StatusBadge {...STATES[stateOf(tag, Date.now())]} />,
    value: (tag) => stateOf(tag, Date.now()),
  },
  {
    id: 'group',
    header: 'Group',
    cell: (tag) => tag.parentIdTag ?? '–',
    value: (tag) => tag.parentIdTag,
    from: 620,
  },
  {
    id: 'most',
    header: 'At a time',
    align: 'right',
    width: 120,
    cell: (tag) => tag.maxActiveSessions ?? 'any',
    value: (tag) => tag.maxActiveSessions,
    from: 760,
  },
  {
    id: 'expires',
    header: 'Expires',
    align: 'right',
    width: 130,
    cell: (tag) => (tag.expiresAt === null ? 'never' : <Ago at={tag.expiresAt} />),
    value: (tag) => (tag.expiresAt === null ? null : Date.parse(tag.expiresAt)),
    from: 560,
  },
]

function OpenLink({ idTag }: { idTag: string }) {
  return (
    <Link
      to="/id-tags"
      className="row-link"
      search={((before: Search) => ({ ...before, tag: idTag })) as never}
    >
      {idTag}
    </Link>
  )
}
