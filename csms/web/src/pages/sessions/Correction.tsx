import { Button, Checkbox, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { sendJson } from '@/api/client'
import { FormEnd } from '@/parts/FormEnd'
import { tellDone } from '@/parts/notices'
import { useSending } from '@/parts/sending'
import { type Body, bodyOf, FIELDS, startOf, type Typed } from './correction'
import type { Session } from './data'

/** Closes a session that its charger never ends, or puts one right that has ended; with a reason. */
export function Correction({ session }: { session: Session }) {
  const [opened, { open, close }] = useDisclosure(false)
  const active = session.status === 'active'
  return (
    <>
      <Button variant="default" onClick={open}>
        {active ? 'Close by hand …' : 'Correct …'}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        title={active ? `Close session ${session.id} by hand` : `Correct session ${session.id}`}
      >
        {opened && <Form session={session} close={close} />}
      </Modal>
    </>
  )
}

function Form({ session, close }: { session: Session; close: () => void }) {
  const active = session.status === 'active'
  const queries = useQueryClient()
  const [typed, setTyped] = useState<Typed>(() => startOf(session))
  const { errors, rest, busy, forgive, blame, send } = useSending(FIELDS)

  function text(name: Exclude<keyof Typed, 'carIsGone'>) {
    return {
      value: typed[name],
      error: errors[name],
      onChange: (event: { currentTarget: { value: string } }) => {
        const value = event.currentTarget.value
        setTyped((before) => ({ ...before, [name]: value }))
        forgive(name)
      },
    }
  }

  async function save(body: Body) {
    const path = `/api/sessions/${encodeURIComponent(session.id)}`
    if (active) await sendJson('POST', `${path}/close`, body)
    else await sendJson('PATCH', path, body)
  }

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = bodyOf(typed, session)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(async () => {
      await save(body)
      await queries.invalidateQueries({ queryKey: ['sessions', session.id] })
      tellDone(active ? 'The session is closed.' : 'The session is corrected.')
      close()
    })
  }

  return (
    <form onSubmit={go} noValidate>
      <Stack gap="sm">
        <Text size="sm">
          {active
            ? 'For a session that no charger will ever end. Without a meter value it is not billed, and what the charger says later still counts.'
            : 'What it says of itself stays in the audit log beside what you say here.'}
        </Text>
        {!active && (
          <TextInput label="Meter at the start, Wh" inputMode="numeric" {...text('meterStartWh')} />
        )}
        <TextInput
          label="Meter at the end, Wh"
          description={active ? 'As read off the charger; may stay empty.' : undefined}
          inputMode="numeric"
          {...text('meterStopWh')}
        />
        <TextInput
          label="Ended at"
          description="Such as 2026-11-21T17:05:00Z; empty: as it stands."
          {...text('stoppedAt')}
        />
        <Textarea label="Reason" withAsterisk autosize minRows={2} maxLength={500} {...text('reason')} />
        {active && (
          <Checkbox
            label="The car is gone, or nothing can be drawn there any more"
            description="Its power is given to others at once, so be certain."
            checked={typed.carIsGone}
            error={errors.carIsGone}
            onChange={(event) => {
              const carIsGone = event.currentTarget.checked
              setTyped((before) => ({ ...before, carIsGone }))
            }}
          />
        )}
      </Stack>
      <FormEnd rest={rest}>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          {active ? 'Close it' : 'Correct it'}
        </Button>
      </FormEnd>
    </form>
  )
}
