import { Button, Select, SimpleGrid, Text, TextInput } from '@mantine/core'
import type { ReactNode } from 'react'
import { Icon } from '@/parts/Icon'
import { POLICIES, type TypedBattery, type TypedCircuit, type TypedSite } from './form'
import classes from './sites.module.css'

type Errors = Readonly<Record<string, string>>

interface SiteFormProps {
  typed: TypedSite
  set: (change: Partial<TypedSite>, path: string) => void
  errors: Errors
  /** There is such a site already. */
  known?: boolean
}

const ZONES: readonly string[] =
  typeof Intl.supportedValuesOf === 'function' ? ['UTC', ...Intl.supportedValuesOf('timeZone')] : ['UTC']

/** The fields of a site: its connection, circuits and batteries. */
export function SiteForm({ typed, set, errors, known = false }: SiteFormProps) {
  const text = (name: 'id' | 'name' | 'gridCapacityKw' | 'gridLimitA') => ({
    value: typed[name],
    error: errors[name],
    onChange: (event: { currentTarget: { value: string } }) =>
      set({ [name]: event.currentTarget.value }, name),
  })
  const zones = ZONES.includes(typed.timeZone) ? ZONES : [typed.timeZone, ...ZONES]
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
        <TextInput label="Name" withAsterisk data-autofocus maxLength={255} {...text('name')} />
        {!known && (
          <TextInput label="Id" description="For the API. Empty: made up." maxLength={255} {...text('id')} />
        )}
        <Select
          label="Time zone"
          searchable
          allowDeselect={false}
          data={zones}
          limit={60}
          value={typed.timeZone}
          error={errors.timeZone}
          onChange={(value) => value && set({ timeZone: value }, 'timeZone')}
        />
        <TextInput
          label="Grid connection, kW"
          description="All that may flow into the site."
          withAsterisk
          inputMode="decimal"
          {...text('gridCapacityKw')}
        />
        <TextInput
          label="Grid connection, A on each phase"
          description="Empty: phases are not looked at."
          inputMode="decimal"
          {...text('gridLimitA')}
        />
        <Select
          label="Sharing rule"
          description="How power is shared when it is short."
          allowDeselect={false}
          data={POLICIES}
          value={typed.policy}
          error={errors.policy}
          onChange={(value) => value && set({ policy: value }, 'policy')}
        />
      </SimpleGrid>
      <Circuits typed={typed} set={set} errors={errors} />
      <Batteries typed={typed} set={set} errors={errors} />
    </>
  )
}

type PartProps = Omit<SiteFormProps, 'known'>

function Circuits({ typed, set, errors }: PartProps) {
  const { circuits } = typed
  const put = (at: number, change: Partial<TypedCircuit>, name: string) =>
    set(
      { circuits: circuits.map((each, n) => (n === at ? { ...each, ...change } : each)) },
      `circuits.${at}.${name}`,
    )
  return (
    <Part
      title="Circuits"
      about="A fuse or a cable behind the connection that feeds some of the chargers; one may hang on another."
      error={errors.circuits}
      add="Add a circuit"
      onAdd={() =>
        set(
          {
            circuits: [
              ...circuits,
              { key: nextKey(circuits), id: '', name: '', parentId: '', limitKw: '', limitA: '' },
            ],
          },
          'circuits',
        )
      }
    >
      {circuits.map((circuit, at) => {
        const field = (name: 'id' | 'name' | 'limitKw' | 'limitA') => ({
          value: circuit[name],
          error: errors[`circuits.${at}.${name}`],
          onChange: (event: { currentTarget: { value: string } }) =>
            put(at, { [name]: event.currentTarget.value }, name),
        })
        return (
          <Row
            key={circuit.key}
            label={`Circuit ${circuit.name || circuit.id || at + 1}`}
            remove={() => set({ circuits: circuits.filter((_, n) => n !== at) }, 'circuits')}
          >
            <TextInput label="Id" withAsterisk maxLength={255} {...field('id')} />
            <TextInput label="Name" maxLength={255} {...field('name')} />
            <TextInput label="Limit, kW" withAsterisk inputMode="decimal" {...field('limitKw')} />
            <TextInput label="A on each phase" inputMode="decimal" {...field('limitA')} />
            <Select
              label="Hangs on"
              allowDeselect={false}
              data={[
                { value: '', label: 'Grid connection' },
                ...[...new Map(circuits.filter((_, n) => n !== at).map(({ id, name }) => [id, name || id]))]
                  .filter(([id]) => id !== '')
                  .map(([id, label]) => ({ value: id, label })),
              ]}
              value={circuit.parentId}
              error={errors[`circuits.${at}.parentId`]}
              onChange={(value) => put(at, { parentId: value ?? '' }, 'parentId')}
            />
          </Row>
        )
      })}
    </Part>
  )
}

function Batteries({ typed, set, errors }: PartProps) {
  const { batteries } = typed
  const put = (at: number, change: Partial<TypedBattery>, name: string) =>
    set(
      { batteries: batteries.map((each, n) => (n === at ? { ...each, ...change } : each)) },
      `batteries.${at}.${name}`,
    )
  return (
    <Part
      title="Batteries"
      about="A battery gives what the connection cannot, and is charged back when there is room."
      error={errors.batteries}
      add="Add a battery"
      onAdd={() =>
        set(
          { batteries: [...batteries, { key: nextKey(batteries), id: '', capacityKwh: '', powerKw: '' }] },
          'batteries',
        )
      }
    >
      {batteries.map((battery, at) => {
        const field = (name: 'id' | 'capacityKwh' | 'powerKw') => ({
          value: battery[name],
          error: errors[`batteries.${at}.${name}`],
          onChange: (event: { currentTarget: { value: string } }) =>
            put(at, { [name]: event.currentTarget.value }, name),
        })
        return (
          <Row
            key={battery.key}
            label={`Battery ${battery.id || at + 1}`}
            remove={() => set({ batteries: batteries.filter((_, n) => n !== at) }, 'batteries')}
          >
            <TextInput label="Id" withAsterisk maxLength={255} {...field('id')} />
            <TextInput label="Energy, kWh" withAsterisk inputMode="decimal" {...field('capacityKwh')} />
            <TextInput label="Most power, kW" withAsterisk inputMode="decimal" {...field('powerKw')} />
          </Row>
        )
      })}
    </Part>
  )
}

function nextKey(rows: readonly { key: number }[]): number {
  return Math.max(-1, ...rows.map(({ key }) => key)) + 1
}

interface PartFrameProps {
  title: string
  about: string
  error: string | undefined
  add: string
  onAdd: () => void
  children: ReactNode
}

function Part({ title, about, error, add, onAdd, children }: PartFrameProps) {
  return (
    <fieldset className={classes.part}>
      <legend>{title}</legend>
      <Text size="sm" c="dimmed">
        {about}
      </Text>
      {children}
      {error && (
        <Text size="sm" c="var(--csms-bad)" role="alert" mt={6}>
          {error}
        </Text>
      )}
      <Button variant="default" mt="xs" onClick={onAdd} leftSection={<Icon name="plus" size={14} />}>
        {add}
      </Button>
    </fieldset>
  )
}

function Row({ label, remove, children }: { label: string; remove: () => void; children: ReactNode }) {
  return (
    <div className={classes.row} role="group" aria-label={label}>
      {children}
      <Button
        variant="default"
        className={classes.remove}
        onClick={remove}
        aria-label={`Remove ${label}`}
        leftSection={<Icon name="trash" size={14} />}
      >
        Remove
      </Button>
    </div>
  )
}
