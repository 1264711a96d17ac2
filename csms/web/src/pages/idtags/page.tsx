import { Button, Group, Modal, SegmentedControl, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { Problem } from '@/api/problem'
import { Ago } from '@/parts/Ago'
import { CsvButton } from '@/parts/CsvButton'
import { CsvImport } from '@/parts/CsvImport'
import { ChooseAll, choosingColumn, useChosen } from '@/parts/choosing'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { count } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { nextOf, useListing } from '@/parts/Listing'
import { PageHeader } from '@/parts/PageHeader'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StatusBadge } from '@/parts/StatusBadge'
import { Bulk } from './Bulk'
import type { Change } from './bulk'
import { ChosenBar } from './ChosenBar'
import { GroupSelect } from './GroupSelect'
import classes from './idtags.module.css'
import { Learn } from './Learn'
import { pathOf, TagForm } from './TagForm'
import { type IdTag, queryOf, type State, stateOf } from './tags'

interface Search {
  search?: string | undefined
  state?: State | undefined
  group?: string | undefined
  /** The tag whose form is open. */
  tag?: string | undefined
}

type Dialog =
  | { kind: 'add'; learned?: string }
  | { kind: 'learn' }
  | { kind: 'import' }
  | { kind: 'bulk'; change: Change; ids: readonly string[] }

const AT_A_TIME = 200

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
  const [text] = useDebouncedValue(search.search, 250)
  const query = queryOf({ search: text, state: search.state, group: search.group })
  const path = query === '' ? '/api/id-tags' : `/api/id-tags?${query}`
  const list = useListing<IdTag>(`/api/id-tags?limit=${AT_A_TIME}&${query}`, 60, { keeps: true })
  const tags = list.items
  const narrowed = query !== ''
  const operator = may('operator')

  const chosen = useChosen()
  const { ids, toggle } = chosen
  const shownIds = useMemo(() => (tags ?? []).map(({ idTag }) => idTag), [tags])
  const whole = !list.hasNextPage
  const columns = useMemo(() => {
    // the order of a part would be taken for that of all
    const shown = whole ? COLUMNS : COLUMNS.map(({ value: _, ...column }) => column)
    if (!operator) return shown
    return [
      choosingColumn<IdTag>(
        { ids, toggle },
        (tag) => tag.idTag,
        (tag) => tag.idTag,
      ),
      ...shown,
    ]
  }, [whole, operator, ids, toggle])

  return (
    <>
      <PageHeader
        title="Id tags"
        subtitle={tags === undefined ? 'Who may charge' : told(tags.length, whole, narrowed)}
        actions={
          <>
            <CsvButton path={path} name="id-tags.csv" />
            {operator && (
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
          maxLength={100}
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
        <GroupSelect value={search.group} onChange={(group) => set({ group })} />
      </Group>
      {chosen.ids.size > 0 && (
        <ChosenBar
          chosen={chosen}
          more={whole ? null : path}
          act={(change) => setDialog({ kind: 'bulk', change, ids: [...chosen.ids] })}
        />
      )}
      {list.error && !tags ? (
        <ProblemNotice problem={list.error} retry={() => void list.refetch()} />
      ) : (
        <DataTable
          label="Id tags"
          columns={columns}
          heads={{ choose: <ChooseAll chosen={chosen} ids={shownIds} /> }}
          rows={tags ?? []}
          rowKey={(tag) => tag.idTag}
          onOpen={(tag) => set({ tag: tag.idTag })}
          selected={(tag) => chosen.ids.has(tag.idTag)}
          onEnd={nextOf(list)}
          busy={list.isPlaceholderData}
          empty={
            tags === undefined ? (
              <EmptyState icon="tag" title="Loading …" />
            ) : narrowed ? (
              <EmptyState
                icon="filter"
                title="No tag matches"
                action={
                  <Button
                    variant="default"
                    onClick={() => set({ search: undefined, state: undefined, group: undefined })}
                  >
                    Show all
                  </Button>
                }
              />
            ) : (
              <EmptyState
                icon="tag"
                title="No id tag yet"
                action={
                  operator && <Button onClick={() => setDialog({ kind: 'learn' })}>Learn the next tag</Button>
                }
              >
                Without tags only sessions that are started from here, or by open driver pages, are allowed.
              </EmptyState>
            )
          }
        />
      )}
      {search.tag !== undefined && tags !== undefined && (
        <Opened key={search.tag} idTag={search.tag} listed={tags} close={() => set({ tag: undefined })} />
      )}
      {dialog?.kind === 'add' && (
        <TagForm close={close} {...(dialog.learned ? { learned: dialog.learned } : {})} />
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
      {dialog?.kind === 'bulk' && (
        <Bulk
          change={dialog.change}
          ids={dialog.ids}
          close={(changed) => {
            if (changed) chosen.clear()
            close()
          }}
        />
      )}
    </>
  )
}

interface OpenedProps {
  idTag: string
  listed: readonly IdTag[]
  close: () => void
}

/** The tag that the address names; one that is not there can be added. */
function Opened({ idTag, listed, close }: OpenedProps) {
  const found = listed.find((tag) => tag.idTag.toUpperCase() === idTag.toUpperCase())
  const asked = useQuery<IdTag, Problem>({
    queryKey: ['id-tags', 'one', idTag],
    queryFn: () => sendJson<IdTag>('GET', pathOf(idTag)),
    enabled: found === undefined,
    retry: false,
    gcTime: 0,
  })
  const { may } = useMe()
  const tag = found ?? asked.data
  if (tag) return <TagForm tag={tag} close={close} />
  if (asked.isFetching) return null
  if (asked.error && asked.error.status !== 404)
    return (
      <Modal opened onClose={close} title={`Id tag ${idTag}`}>
        <ProblemNotice problem={asked.error} retry={() => void asked.refetch()} />
      </Modal>
    )
  if (may('operator')) return <TagForm learned={idTag} close={close} />
  return (
    <Modal opened onClose={close} title={`Id tag ${idTag}`}>
      This tag is not in the list: chargers that ask are told that it is invalid.
    </Modal>
  )
}

function told(shown: number, whole: boolean, narrowed: boolean): string {
  const what = narrowed ? 'Those that match' : 'Who may charge'
  return whole ? `${what}: ${count(shown)}` : `${what}, the newest first: ${count(shown)} so far`
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
    cell: (tag) => (
      <>
        <OpenLink idTag={tag.idTag} />
        {tag.name && <span className={classes.who}> {tag.name}</span>}
      </>
    ),
    value: (tag) => tag.idTag,
  },
  { id: 'name', header: 'Name', cell: (tag) => tag.name ?? '–', value: (tag) => tag.name, from: 500 },
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
