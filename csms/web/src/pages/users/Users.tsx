import { Button, Group, Modal, PasswordInput, Select, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { send, sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { FormEnd } from '@/parts/FormEnd'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import { useSending } from '@/parts/sending'
import { LEAST_PASSWORD, ROLES, roleText, type TypedUser, userOf } from './roles'

type User = components['schemas']['UserOut']

export function Users() {
  const me = useMe()
  const queries = useQueryClient()
  const list = useListing<User>('/api/users', 30)
  const [edited, setEdited] = useState<User | 'new' | null>(null)
  const again = () => queries.invalidateQueries({ queryKey: ['users'] })
  return (
    <Section
      title="Users"
      about="What somebody does is in the audit trail under their name."
      actions={
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setEdited('new')}>
          Add a user
        </Button>
      }
    >
      <Listing
        label="Users"
        list={list}
        rowKey={(user) => user.id}
        empty="Nobody yet: so far only keys and the sign-in link of the start let somebody in. Add yourself first."
        columns={[
          {
            header: 'Name',
            cell: (user) => (
              <>
                <b>{user.name}</b>
                {user.name === me.name && <span className="dimmed"> you</span>}
              </>
            ),
          },
          { header: 'Role', cell: (user) => roleText(user.role) },
          {
            header: 'Signs in',
            cell: (user) =>
              user.disabled ? (
                <StatusBadge status="Blocked" text="Locked out" />
              ) : user.hasPassword ? (
                <StatusBadge status="Accepted" text="Password" />
              ) : (
                <StatusBadge status="none" text="No password" />
              ),
          },
          { header: 'Since', extra: true, fixed: true, cell: (user) => <Ago at={user.createdAt} /> },
          {
            header: 'Change',
            align: 'right',
            cell: (user) => (
              <Group gap={4} justify="flex-end">
                <Button variant="default" aria-label={`Edit ${user.name}`} onClick={() => setEdited(user)}>
                  Edit
                </Button>
                <ConfirmAction
                  variant="subtle"
                  aria-label={`Delete ${user.name}`}
                  title={`Delete ${user.name}?`}
                  text="They are signed out at once, and their API keys are worth nothing any more. The audit trail keeps their name."
                  confirm="Delete"
                  act={() => send(`/api/users/${user.id}`, { method: 'DELETE' })}
                  onDone={() => {
                    tellDone(`${user.name} is deleted.`)
                    void again()
                    void queries.invalidateQueries({ queryKey: ['api-keys'] })
                  }}
                >
                  Delete
                </ConfirmAction>
              </Group>
            ),
          },
        ]}
      />
      {edited !== null && (
        <UserForm
          user={edited === 'new' ? null : edited}
          close={() => setEdited(null)}
          saved={() => {
            setEdited(null)
            tellDone('Saved.')
            void again()
          }}
        />
      )}
    </Section>
  )
}

interface UserFormProps {
  /** null: a new one. */
  user: User | null
  close: () => void
  saved: () => void
}

function UserForm({ user, close, saved }: UserFormProps) {
  const start: TypedUser = {
    name: user?.name ?? '',
    role: user?.role ?? 'operator',
    password: '',
    disabled: user?.disabled ?? false,
  }
  const [typed, setTyped] = useState(start)
  const { errors, rest, busy, forgive, blame, send: sending } = useSending(['name', 'role', 'password'])
  const set = (change: Partial<TypedUser>, name: string) => {
    setTyped((before) => ({ ...before, ...change }))
    forgive(name)
  }

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = userOf(typed, user === null ? undefined : start)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await sending(async () => {
      if (user === null) await sendJson('POST', '/api/users', body)
      else if (Object.keys(body).length > 0) await sendJson('PATCH', `/api/users/${user.id}`, body)
      saved()
    })
  }

  const roles = ROLES.some(({ value }) => value === typed.role)
    ? ROLES
    : [...ROLES, { value: typed.role, label: roleText(typed.role), about: '' }]
  return (
    <Modal opened onClose={close} title={user === null ? 'Add a user' : `Edit ${user.name}`}>
      <form onSubmit={go} noValidate>
        <Stack gap="sm">
          <TextInput
            label="Name"
            withAsterisk
            data-autofocus
            maxLength={255}
            autoComplete="off"
            value={typed.name}
            error={errors.name}
            onChange={(event) => set({ name: event.currentTarget.value }, 'name')}
          />
          <Select
            label="Role"
            description={roles.find(({ value }) => value === typed.role)?.about}
            allowDeselect={false}
            data={roles.map(({ value, label }) => ({ value, label }))}
            value={typed.role}
            error={errors.role}
            onChange={(value) => value && set({ role: value }, 'role')}
          />
          <PasswordInput
            label={user === null ? 'Password' : 'New password'}
            description={
              user === null
                ? `At least ${LEAST_PASSWORD} characters. Empty: only API keys act for them.`
                : 'Empty: stays as it is.'
            }
            autoComplete="new-password"
            value={typed.password}
            error={errors.password}
            onChange={(event) => set({ password: event.currentTarget.value }, 'password')}
          />
          {user !== null && (
            <Switch
              label="Locked out"
              description="Cannot sign in, and their API keys do not work."
              checked={typed.disabled}
              onChange={(event) => set({ disabled: event.currentTarget.checked }, 'disabled')}
            />
          )}
          {user !== null && (
            <Text size="sm" c="dimmed">
              A change signs them out everywhere.
            </Text>
          )}
        </Stack>
        <FormEnd rest={rest}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {user === null ? 'Add' : 'Save'}
          </Button>
        </FormEnd>
      </form>
    </Modal>
  )
}
