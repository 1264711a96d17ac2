import { Button, Group, PasswordInput, Select, SimpleGrid, Text, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { sendJson } from '@/api/client'
import type { components } from '@/api/schema'
import { useSending } from '@/parts/sending'
import { type Letting, lettingOf } from './arrivals'

const FIELDS = ['name', 'maxKw', 'connectors', 'currentType', 'password', 'identity']

interface LetInProps {
  identity: string
  /** It has tried already; else it is expected. */
  tried: boolean
  done: (stationId: string) => void
  cancel: () => void
}

/** Makes a station of an identity: the little that has to be known of it. */
export function LetIn({ identity, tried, done, cancel }: LetInProps) {
  const [typed, setTyped] = useState<Letting>({
    name: identity,
    maxKw: '22',
    connectors: '1',
    currentType: 'AC',
    password: '',
  })
  const { errors, rest, busy, forgive, blame, send } = useSending(FIELDS)
  const set = (name: keyof Letting, value: string) => {
    setTyped((before) => ({ ...before, [name]: value }))
    forgive(name)
  }
  const text = (name: keyof Letting) => ({
    value: typed[name],
    error: errors[name],
    onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value),
  })

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = lettingOf(typed)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(async () => {
      const station = tried
        ? await sendJson<components['schemas']['StationOut']>(
            'POST',
            `/api/connections/${encodeURIComponent(identity)}/accept`,
            body,
          )
        : await sendJson<components['schemas']['StationOut']>('POST', '/api/stations', {
            name: identity,
            ...body,
            identity,
          })
      done(station.id)
    })
  }

  return (
    <form onSubmit={go} noValidate aria-label={`Let ${identity} in`}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm" mt="sm">
        <TextInput
          label="Name"
          description="What people call it; you may change it at any time."
          data-autofocus
          maxLength={255}
          {...text('name')}
        />
        <TextInput
          label="Most power, kW"
          description="Of the whole charger."
          withAsterisk
          inputMode="decimal"
          {...text('maxKw')}
        />
        <TextInput
          label="Connectors"
          description="Cables or sockets."
          withAsterisk
          inputMode="numeric"
          {...text('connectors')}
        />
        <Select
          label="Current"
          description="AC for wallboxes, DC for fast chargers."
          allowDeselect={false}
          data={['AC', 'DC']}
          value={typed.currentType}
          error={errors.currentType}
          onChange={(value) => value && set('currentType', value)}
        />
        <PasswordInput
          label="Password"
          description="Its AuthorizationKey, if one is set in it. Empty: it comes without."
          autoComplete="new-password"
          {...text('password')}
        />
      </SimpleGrid>
      {(rest ?? errors.identity) && (
        <Text size="sm" c="var(--csms-bad)" role="alert" mt="sm">
          {rest ?? errors.identity}
        </Text>
      )}
      <Group gap="xs" mt="sm">
        <Button type="submit" loading={busy}>
          Let {identity} in
        </Button>
        <Button variant="default" onClick={cancel}>
          Cancel
        </Button>
      </Group>
    </form>
  )
}
