import { ActionIcon, Button, Group, Modal, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { Ago } from '@/parts/Ago'
import { type Column, DataTable } from '@/parts/DataTable'
import { EmptyState } from '@/parts/EmptyState'
import { FormEnd } from '@/parts/FormEnd'
import { Icon } from '@/parts/Icon'
import { PendingButton } from '@/parts/PendingButton'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StatusBadge, type Tone } from '@/parts/StatusBadge'
import { useSending } from '@/parts/sending'
import { type Configuration, call, pathOf, type Station } from './data'
import classes from './station.module.css'

const DRIFT: Readonly<Record<string, { text: string; tone: Tone }>> = {
  inSync: { text: 'As it shall be', tone: 'good' },
  pending: { text: 'To be set', tone: 'busy' },
  rebootRequired: { text: 'After a restart', tone: 'warning' },
  refused: { text: 'Refused', tone: 'bad' },
}

/** Keys that have a procedure of their own, with where it is. */
const OWN = new Set(['AuthorizationKey', 'SecurityProfile'])

/** What the station is set to, what it shall be set to, and where the two differ. */
export function ConfigurationTab({ station }: { station: Station }) {
  const { may } = useMe()
  const queries = useQueryClient()
  const [text, setText] = useState('')
  const [which, setWhich] = useState('all')
  const [edited, setEdited] = useState<Configuration | null>(null)
  const found = useQuery({
    queryKey: ['stations', station.id, 'configuration'],
    queryFn: async () =>
      (await sendJson<{ items: Configuration[] }>('GET', pathOf(station.id, '/configuration'))).items,
    refetchInterval: 5000,
  })
  const keys = found.data
  const rows = useMemo(() => passing(keys ?? [], text, which), [keys, text, which])
  const columns = useMemo(() => columnsOf(may('operator'), setEdited), [may])
  const drifted = (keys ?? []).filter(({ drift }) => drift !== null && drift !== 'inSync').length

  const readNow = may('operator') && station.online && (
    <PendingButton
      variant="default"
      leftSection={<Icon name="refresh" size={13} />}
      pendingText="Reading …"
      done
      act={async () => {
        await call(station.id, 'GetConfiguration', {})
        await queries.invalidateQueries({ queryKey: ['stations', station.id, 'configuration'] })
      }}
    >
      Read from the station
    </PendingButton>
  )

  if (found.error) return <ProblemNotice problem={found.error} retry={() => void found.refetch()} />
  if (keys?.length === 0)
    return (
      <>
        <EmptyState
          icon="settings"
          title="Its configuration has not been read yet"
          action={
            <Group gap="xs" justify="center">
              {readNow}
              {may('operator') && (
                <Button variant="default" onClick={() => setEdited(unknownKey(''))}>
                  Set a key
                </Button>
              )}
            </Group>
          }
        >
          {station.online
            ? 'Reading asks for all keys at once and sends nothing that would change it.'
            : 'The station is offline; it can be read once it is back.'}
        </EmptyState>
        {edited && <Desire key={edited.key} station={station} item={edited} close={() => setEdited(null)} />}
      </>
    )
  return (
    <>
      <Group gap="xs" mb="sm">
        <TextInput
          data-filter
          aria-label="Filter by key or value"
          placeholder="Key or value"
          leftSection={<Icon name="search" size={15} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          w={{ base: '100%', xs: 260 }}
        />
        <SegmentedControl
          size="xs"
          aria-label="Which keys"
          value={which}
          onChange={setWhich}
          data={[
            { value: 'all', label: `All ${keys?.length ?? ''}` },
            { value: 'desired', label: 'Set by us' },
            { value: 'drift', label: drifted ? `Differ (${drifted})` : 'Differ' },
          ]}
        />
        <Group gap="xs" ml="auto">
          {may('operator') && (
            <Button variant="default" onClick={() => setEdited(unknownKey(''))}>
              Set another key
            </Button>
          )}
          {readNow}
        </Group>
      </Group>
      <DataTable
        label="Configuration"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.key}
        order={{ column: 'key', descending: false }}
        empty={
          keys ? (
            <EmptyState
              icon="filter"
              title={which === 'drift' && text === '' ? 'Nothing differs' : 'No key passes the filter'}
            />
          ) : null
        }
      />
      {edited && <Desire key={edited.key} station={station} item={edited} close={() => setEdited(null)} />}
    </>
  )
}

function unknownKey(key: string): Configuration {
  return { key, value: null, readonly: null, readAt: null, desired: null, drift: null, refusedStatus: null }
}

export function passing(
  keys: readonly Configuration[],
  text: string,
  which: string,
): readonly Configuration[] {
  const wanted = text.trim().toLowerCase()
  return keys.filter(
    (each) =>
      (which === 'all' ||
        (which === 'desired' ? each.desired !== null : each.drift !== null && each.drift !== 'inSync')) &&
      `${each.key} ${each.value ?? ''} ${each.desired ?? ''}`.toLowerCase().includes(wanted),
  )
}

function columnsOf(
  mayChange: boolean,
  edit: (item: Configuration) => void,
): readonly Column<Configuration>[] {
  const columns: Column<Configuration>[] = [
    {
      id: 'key',
      header: 'Key',
      value: ({ key }) => key,
      cell: ({ key }) => <span title={key}>{key}</span>,
    },
    {
      id: 'value',
      header: 'Value',
      value: ({ value }) => value,
      cell: ({ value, key, readAt }) =>
        value === null ? (
          <span className="dimmed">{readAt === null ? 'not read' : 'secret or empty'}</span>
        ) : (
          <span className={classes.mono} title={`${key} = ${value}`}>
            {value === '' ? '""' : value}
          </span>
        ),
    },
    {
      id: 'desired',
      header: 'Shall be',
      from: 560,
      value: ({ desired }) => desired,
      cell: ({ desired }) => <span className={classes.mono}>{desired ?? ''}</span>,
    },
    {
      id: 'drift',
      header: 'State',
      width: 150,
      from: 460,
      value: ({ drift }) => drift,
      cell: ({ drift, refusedStatus }) => {
        if (drift === null) return null
        const look = DRIFT[drift] ?? { text: drift, tone: 'idle' as Tone }
        return (
          <StatusBadge
            status={drift}
            tone={look.tone}
            text={refusedStatus ? `${look.text} (${refusedStatus})` : look.text}
          />
        )
      },
    },
    {
      id: 'read',
      header: 'Read',
      width: 110,
      from: 820,
      align: 'right',
      value: ({ readAt }) => (readAt === null ? null : Date.parse(readAt)),
      cell: ({ readAt }) => <Ago at={readAt} />,
    },
  ]
  columns.push({
    id: 'edit',
    header: '',
    width: 60,
    align: 'right',
    cell: (row) =>
      row.readonly ? (
        <span className="dimmed" title="Read only" style={{ paddingRight: 6 }}>
          <Icon name="lock" size={13} label="Read only" />
        </span>
      ) : !mayChange ? null : (
        <ActionIcon aria-label={`Set ${row.key}`} color="gray" onClick={() => edit(row)}>
          <Icon name="edit" size={15} />
        </ActionIcon>
      ),
  })
  return columns
}

interface DesireProps {
  station: Station
  item: Configuration
  close: () => void
}

/** Says what a key shall be from now on: it is sent until the station has it. */
function Desire({ station, item, close }: DesireProps) {
  const queries = useQueryClient()
  const [key, setKey] = useState(item.key)
  const [value, setValue] = useState(item.desired ?? item.value ?? '')
  const { errors, rest, busy, blame, forgive, send } = useSending(['desired', 'key'])
  const own = OWN.has(key)

  async function save(desired: string | null) {
    blame(key.trim() === '' ? { key: 'This is needed' } : {})
    if (key.trim() === '') return
    await send(async () => {
      const path = pathOf(station.id, `/configuration/${encodeURIComponent(key.trim())}`)
      await sendJson('PUT', path, { desired })
      await queries.invalidateQueries({ queryKey: ['stations', station.id, 'configuration'] })
      close()
    })
  }

  return (
    <Modal opened onClose={close} title={item.key === '' ? 'Set a key' : `Set ${item.key}`}>
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          void save(value)
        }}
      >
        <Stack gap="sm">
          {item.key === '' && (
            <TextInput
              label="Key"
              description="As the station spells it."
              withAsterisk
              maxLength={50}
              data-autofocus
              value={key}
              onChange={(event) => {
                setKey(event.currentTarget.value)
                forgive('key')
              }}
              error={errors.key}
            />
          )}
          <TextInput
            label="Shall be"
            description={
              item.value === null
                ? 'Its value is not known.'
                : `It is ${item.value === '' ? 'empty' : item.value} now.`
            }
            maxLength={500}
            value={value}
            onChange={(event) => {
              setValue(event.currentTarget.value)
              forgive('desired')
            }}
            error={errors.desired}
            {...(item.key === '' ? {} : { 'data-autofocus': true })}
          />
          <Text size="sm" c="dimmed">
            {own
              ? 'This key has a procedure of its own, under Security.'
              : station.quiet
                ? 'The station is quiet: it is kept and told once the station is not quiet any more.'
                : 'It is told to the station now, or when it is back, and again after it was lost.'}
          </Text>
        </Stack>
        <FormEnd rest={rest}>
          {item.desired !== null && (
            <Button variant="default" disabled={busy} onClick={() => void save(null)}>
              Leave it to the station
            </Button>
          )}
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={own}>
            Set
          </Button>
        </FormEnd>
      </form>
    </Modal>
  )
}
