import { Alert, Button, Code, CopyButton, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api, ok, send, sendJson } from '@/api/client'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { useNow } from '@/parts/clock'
import { FormEnd } from '@/parts/FormEnd'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import { useSending } from '@/parts/sending'
import { endOf, LIVES, ROLES, roleText } from './roles'

type Key = components['schemas']['ApiKeyOut']
type NewKey = components['schemas']['NewApiKeyOut']

export function Keys() {
  const queries = useQueryClient()
  const list = useListing<Key>('/api/api-keys', 30)
  const [adding, setAdding] = useState(false)
  const users = useQuery({
    queryKey: ['users', 'choice'],
    queryFn: async () => (await ok(api.GET('/api/users', { params: { query: { limit: 500 } } }))).items,
  })
  const names = new Map(users.data?.map(({ id, name }) => [id, name]))
  const again = () => queries.invalidateQueries({ queryKey: ['api-keys'] })
  return (
    <Section
      title="API keys"
      about="For programs and scripts: sent as Authorization: Bearer with each request."
      actions={
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
          Make a key
        </Button>
      }
    >
      <Listing
        label="API keys"
        list={list}
        rowKey={(key) => key.id}
        empty="No key yet. Make one for each program, so that each can be taken back alone."
        columns={[
          { header: 'Name', cell: (key) => <b>{key.name}</b> },
          { header: 'Role', cell: (key) => roleText(key.role) },
          {
            header: 'Acts for',
            extra: true,
            cell: (key) => (key.userId === null ? '–' : (names.get(key.userId) ?? `user ${key.userId}`)),
          },
          { header: 'Ends', fixed: true, cell: (row) => <End at={row.expiresAt} /> },
          { header: 'Since', extra: true, fixed: true, cell: (key) => <Ago at={key.createdAt} /> },
          {
            header: 'Change',
            align: 'right',
            cell: (key) => (
              <ConfirmAction
                variant="subtle"
                aria-label={`Delete ${key.name}`}
                title={`Delete the key ${key.name}?`}
                text="Whatever uses it is refused from now on. This cannot be undone."
                confirm="Delete"
                act={() => send(`/api/api-keys/${key.id}`, { method: 'DELETE' })}
                onDone={() => {
                  tellDone(`The key ${key.name} is worth nothing any more.`)
                  void again()
                }}
              >
                Delete
              </ConfirmAction>
            ),
          },
        ]}
      />
      {adding && (
        <NewKeyForm
          users={users.data?.map(({ id, name }) => ({ value: id, label: name })) ?? []}
          close={() => setAdding(false)}
          made={() => void again()}
        />
      )}
    </Section>
  )
}

function End({ at }: { at: string | null }) {
  const now = useNow()
  if (at === null) return <span className="dimmed">never</span>
  if (Date.parse(at) <= now) return <StatusBadge status="expired" />
  return <Ago at={at} />
}

interface NewKeyFormProps {
  users: { value: string; label: string }[]
  close: () => void
  made: () => void
}

/** Makes a key and shows it, this once. */
function NewKeyForm({ users, close, made }: NewKeyFormProps) {
  const [name, setName] = useState('')
  const [role, setRole] = useState('viewer')
  const [userId, setUserId] = useState('')
  const [days, setDays] = useState('365')
  const [key, setKey] = useState<NewKey | null>(null)
  const {
    errors,
    rest,
    busy,
    forgive,
    blame,
    send: sending,
  } = useSending(['name', 'role', 'userId', 'expiresAt'])

  async function go(event: FormEvent) {
    event.preventDefault()
    blame(name.trim() === '' ? { name: 'This is needed' } : {})
    if (name.trim() === '') return
    await sending(async () => {
      setKey(
        await sendJson<NewKey>('POST', '/api/api-keys', {
          name: name.trim(),
          role,
          expiresAt: endOf(days, Date.now()),
          ...(userId === '' ? {} : { userId }),
        }),
      )
      made()
    })
  }

  if (key !== null)
    return (
      <Modal
        opened
        onClose={close}
        title={`The key ${key.name}`}
        closeOnClickOutside={false}
        closeOnEscape={false}
        withCloseButton={false}
      >
        <Stack gap="sm">
          <Alert color="yellow" variant="light" icon={<Icon name="key" />} title="It is shown this once">
            Copy it now. Nobody can look it up later; whoever has it acts with its role,{' '}
            {roleText(key.role).toLowerCase()}.
          </Alert>
          <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }} aria-label="The key">
            {key.token}
          </Code>
          <Group justify="flex-end" gap="xs">
            <CopyButton value={key.token}>
              {({ copied, copy }) => (
                <Button
                  variant="default"
                  leftSection={<Icon name={copied ? 'check' : 'copy'} size={14} />}
                  onClick={copy}
                  data-autofocus
                >
                  <span aria-live="polite">{copied ? 'Copied' : 'Copy'}</span>
                </Button>
              )}
            </CopyButton>
            <Button onClick={close}>I have it</Button>
          </Group>
        </Stack>
      </Modal>
    )
  return (
    <Modal opened onClose={close} title="Make an API key">
      <form onSubmit={go} noValidate>
        <Stack gap="sm">
          <TextInput
            label="Name"
            description="Of the program that will use it."
            withAsterisk
            data-autofocus
            maxLength={255}
            value={name}
            error={errors.name}
            onChange={(event) => {
              setName(event.currentTarget.value)
              forgive('name')
            }}
          />
          <Select
            label="Role"
            description={ROLES.find(({ value }) => value === role)?.about}
            allowDeselect={false}
            data={ROLES.map(({ value, label }) => ({ value, label }))}
            value={role}
            error={errors.role}
            onChange={(value) => value && setRole(value)}
          />
          <Select
            label="Good for"
            allowDeselect={false}
            data={[...LIVES]}
            value={days}
            error={errors.expiresAt}
            onChange={(value) => setDays(value ?? '')}
          />
          {users.length > 0 && (
            <Select
              label="Acts for"
              description="It goes when the user goes."
              searchable
              allowDeselect={false}
              data={[{ value: '', label: 'Nobody in particular' }, ...users]}
              value={userId}
              error={errors.userId}
              onChange={(value) => setUserId(value ?? '')}
            />
          )}
        </Stack>
        <FormEnd rest={rest}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Make it
          </Button>
        </FormEnd>
      </form>
    </Modal>
  )
}
