import { Accordion, Button, Group, PasswordInput, Select, SimpleGrid, Switch, TextInput } from '@mantine/core'
import { type FormEvent, useEffect, useState } from 'react'
import { useSites } from '@/live/hooks'
import { FormEnd } from '@/parts/FormEnd'
import { useSending } from '@/parts/sending'
import { bodyOf, FIELDS, NAMES, type Typed } from './station'

interface StationFormProps {
  start: Typed
  /** There is such a station already: only changes are sent. */
  known?: boolean
  submit: string
  save: (body: Record<string, unknown>) => Promise<void>
  cancel: () => void
}

const SELDOM: readonly (keyof Typed)[] = [
  'connectorType',
  'phaseRotation',
  'serialNumber',
  'securityProfile',
  'password',
  'registration',
  'lat',
  'lon',
]

/** What an operator says of a station. */
export function StationForm({ start, known = false, submit, save, cancel }: StationFormProps) {
  const sites = useSites()
  const [typed, setTyped] = useState(start)
  const { errors, rest, busy, forgive, blame, send } = useSending(FIELDS, { names: NAMES })
  const [open, setOpen] = useState<string | null>(null)
  // blame must not hide in what is folded away
  useEffect(() => {
    if (SELDOM.some((name) => errors[name])) setOpen('more')
  }, [errors])

  function text(name: keyof Typed) {
    return {
      value: String(typed[name]),
      onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value),
      error: errors[name],
    }
  }

  function set(name: keyof Typed, value: string | boolean) {
    setTyped((before) => ({ ...before, [name]: value }))
    forgive(name)
  }

  function choice(name: keyof Typed, data: { value: string; label: string }[]) {
    return {
      data,
      value: String(typed[name]),
      allowDeselect: false,
      onChange: (value: string | null) => set(name, value ?? ''),
      error: errors[name],
    }
  }

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = bodyOf(typed, known ? start : undefined)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(() => save(body))
  }

  return (
    <form onSubmit={go} noValidate>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
        <TextInput label="Name" withAsterisk data-autofocus maxLength={255} {...text('name')} />
        <TextInput
          label="Identity"
          description={known ? undefined : 'The end of its address here. Empty: made up.'}
          disabled={known}
          maxLength={255}
          {...text('identity')}
        />
        <TextInput label="Most power, kW" withAsterisk inputMode="decimal" {...text('maxKw')} />
        <TextInput label="Connectors" inputMode="numeric" {...text('connectors')} />
        <Select
          label="Site"
          {...choice('siteId', [
            { value: '', label: 'None' },
            ...sites.map(({ id, name }) => ({ value: id, label: name })),
          ])}
        />
        <TextInput label="Address or place" {...text('address')} />
        <Select
          label="Current"
          {...choice('currentType', [
            { value: 'AC', label: 'AC' },
            { value: 'DC', label: 'DC' },
          ])}
        />
        <Group grow gap="sm" align="flex-start">
          <TextInput label="Phases" inputMode="numeric" {...text('phases')} />
          <TextInput label="Voltage, V" inputMode="numeric" {...text('voltageV')} />
        </Group>
      </SimpleGrid>
      <Accordion mt="sm" variant="contained" value={open} onChange={setOpen}>
        <Accordion.Item value="more">
          <Accordion.Control>More: who may come in, what it is, where on the map</Accordion.Control>
          <Accordion.Panel>
            <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
              <Select
                label="Let in"
                {...choice('registration', [
                  { value: 'Accepted', label: 'Yes' },
                  { value: 'Pending', label: 'Only to be set up (Pending)' },
                  { value: 'Rejected', label: 'No (Rejected)' },
                ])}
              />
              <Select
                label="Security profile"
                {...choice('securityProfile', [
                  ...(known ? [] : [{ value: '', label: 'By the password' }]),
                  { value: '0', label: '0: no password' },
                  { value: '1', label: '1: password' },
                  { value: '2', label: '2: password, TLS' },
                  { value: '3', label: '3: certificate, TLS' },
                ])}
              />
              <PasswordInput
                label={known ? 'New password' : 'Password'}
                description={
                  known ? 'As it is set at the station. Empty: unchanged.' : 'At least 16 characters.'
                }
                autoComplete="new-password"
                value={typed.password}
                onChange={(event) => set('password', event.currentTarget.value)}
                error={errors.password}
              />
              <TextInput label="Serial number" description="For certificates." {...text('serialNumber')} />
              <TextInput label="Connector type" placeholder="Type 2, CCS 2" {...text('connectorType')} />
              <Select
                label="Order of its phases"
                {...choice(
                  'phaseRotation',
                  ['Unknown', 'RST', 'RTS', 'SRT', 'STR', 'TRS', 'TSR'].map((value) => ({
                    value,
                    label: value === 'Unknown' ? 'Not known' : value,
                  })),
                )}
              />
              <TextInput label="Latitude" inputMode="decimal" {...text('lat')} />
              <TextInput label="Longitude" inputMode="decimal" {...text('lon')} />
              <Switch
                label="Quiet: sent nothing unasked but limits"
                checked={typed.quiet}
                onChange={(event) => set('quiet', event.currentTarget.checked)}
              />
              <Switch
                label="Strict: nothing is repaired"
                checked={typed.strict}
                onChange={(event) => set('strict', event.currentTarget.checked)}
              />
            </SimpleGrid>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
      <FormEnd rest={rest}>
        <Button variant="default" onClick={cancel}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          {submit}
        </Button>
      </FormEnd>
    </form>
  )
}
