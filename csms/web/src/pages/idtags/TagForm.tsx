import { Button, Group, Modal, Stack, Switch, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { FormEnd } from '@/parts/FormEnd'
import { tellDone } from '@/parts/notices'
import { PageLink } from '@/parts/PageLink'
import { useSending } from '@/parts/sending'
import { localTime } from '../stationcalls/schema'
import { GroupInput } from './GroupSelect'
import { bodyOf, EMPTY, FIELDS, type IdTag, type Typed, typedOf } from './tags'

interface TagFormProps {
  /** The tag that is changed; without it a new one is added. */
  tag?: IdTag
  /** Of a new one: as a reader has read it. */
  learned?: string
  close: () => void
}

/** One id tag: what it may do, and until when. */
export function TagForm({ tag, learned = '', close }: TagFormProps) {
  const { may } = useMe()
  const queries = useQueryClient()
  const [before] = useState<Typed | undefined>(() => tag && typedOf(tag, minutes))
  const [typed, setTyped] = useState<Typed>(before ?? { ...EMPTY, idTag: learned })
  const { errors, rest, busy, forgive, blame, send } = useSending([...FIELDS, 'status'])
  const locked = !may('operator')

  function text(name: Exclude<keyof Typed, 'blocked'>) {
    return { value: typed[name], error: errors[name], readOnly: locked, onChange: set(name) }
  }

  function set(name: Exclude<keyof Typed, 'blocked'>) {
    return (given: string | { currentTarget: { value: string } }) => {
      const value = typeof given === 'string' ? given : given.currentTarget.value
      setTyped((now) => ({ ...now, [name]: value }))
      forgive(name)
    }
  }

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = bodyOf(typed, before)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(async () => {
      if (tag === undefined) await sendJson('POST', '/api/id-tags', body)
      else await sendJson('PATCH', pathOf(tag.idTag), body)
      await queries.invalidateQueries({ queryKey: ['id-tags'] })
      tellDone(tag === undefined ? `${typed.idTag.trim()} is added.` : 'Saved.')
      close()
    })
  }

  return (
    <Modal opened onClose={close} title={tag === undefined ? 'Add an id tag' : `Id tag ${tag.idTag}`}>
      <form onSubmit={go} noValidate>
        <Stack gap="sm">
          {tag === undefined && (
            <TextInput
              label="Id tag"
              description="What the card or the app tells the charger: up to 20 characters, in any case."
              withAsterisk
              data-autofocus
              {...text('idTag')}
            />
          )}
          <TextInput label="Name" description="Whose it is; chargers do not get it." {...text('name')} />
          <GroupInput
            label="Group"
            description="Tags of one group (parent id tag) may stop each other's sessions and use each other's reservations."
            {...text('parentIdTag')}
          />
          <Group grow align="flex-start">
            <TextInput
              label="Sessions at a time"
              description="Empty: no limit."
              inputMode="numeric"
              {...text('maxActiveSessions')}
            />
            <TextInput
              label="Expires"
              description="Empty: never."
              type="datetime-local"
              {...text('expiresAt')}
            />
          </Group>
          <Switch
            label="Blocked: chargers are told to refuse it"
            checked={typed.blocked}
            disabled={locked}
            error={errors.status}
            onChange={(event) => {
              const blocked = event.currentTarget.checked
              setTyped((now) => ({ ...now, blocked }))
            }}
          />
          {tag !== undefined && (
            <PageLink to="/sessions" search={{ idTag: tag.idTag, status: 'completed' }}>
              Its sessions
            </PageLink>
          )}
        </Stack>
        <FormEnd rest={rest}>
          {tag !== undefined && !locked && (
            <ConfirmAction
              c="var(--csms-bad)"
              mr="auto"
              title={`Delete ${tag.idTag}?`}
              text="From now on it is unknown and refused. Its sessions stay as they are; a session that runs goes on."
              confirm="Delete"
              act={() => sendJson('DELETE', pathOf(tag.idTag))}
              onDone={() => {
                // the one that is gone is not asked for again
                void queries.invalidateQueries({
                  queryKey: ['id-tags'],
                  predicate: ({ queryKey }) => queryKey[1] !== 'one',
                })
                tellDone(`${tag.idTag} is deleted.`)
                close()
              }}
            >
              Delete …
            </ConfirmAction>
          )}
          <Button variant="default" onClick={close}>
            {locked ? 'Close' : 'Cancel'}
          </Button>
          {!locked && (
            <Button type="submit" loading={busy}>
              {tag === undefined ? 'Add' : 'Save'}
            </Button>
          )}
        </FormEnd>
      </form>
    </Modal>
  )
}

function minutes(at: string): string {
  return localTime(at).slice(0, 16)
}

export function pathOf(idTag: string): string {
  return `/api/id-tags/${encodeURIComponent(idTag)}`
}
