import { Drawer, Loader, NumberInput, Switch, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Icon } from '@/parts/Icon'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { type Oddity, useAct, useOddities } from './simulator'
import classes from './simulator.module.css'

interface OddityDrawerProps {
  identity: string
  /** Names of those that are on. */
  on: readonly string[]
  opened: boolean
  close: () => void
}

/** All faults and quirks of real chargers, to be switched on at one charge point. */
export function OddityDrawer({ identity, on, opened, close }: OddityDrawerProps) {
  return (
    <Drawer
      opened={opened}
      onClose={close}
      position="right"
      size="lg"
      title={`Faults and quirks of ${identity}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {opened && <Oddities identity={identity} on={on} />}
    </Drawer>
  )
}

function Oddities({ identity, on }: { identity: string; on: readonly string[] }) {
  const oddities = useOddities()
  const act = useAct({ identity })
  const [search, setSearch] = useState('')
  if (oddities.error) return <ProblemNotice problem={oddities.error} retry={() => oddities.refetch()} />
  if (oddities.data === undefined) return <Loader aria-label="Loading" />
  const wanted = search.toLowerCase()
  const found = oddities.data.filter((each) =>
    `${each.name} ${each.does} ${each.who ?? ''}`.toLowerCase().includes(wanted),
  )
  const families = [...new Set(found.map((each) => each.family))]
  return (
    <>
      <TextInput
        type="search"
        aria-label="Find a fault or quirk"
        placeholder="Find by name, effect or maker"
        leftSection={<Icon name="search" size={14} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {act.error && <ProblemNotice problem={act.error} />}
      {found.length === 0 && <Text mt="md">None is like “{search}”.</Text>}
      {families.map((family) => (
        <section key={family} aria-label={family}>
          <h3 className={classes.family}>{family}</h3>
          {found
            .filter((each) => each.family === family)
            .map((each) => (
              <OddityRow
                key={each.name}
                oddity={each}
                on={on.includes(each.name)}
                busy={
                  act.isPending && (act.variables?.body as { name?: string } | undefined)?.name === each.name
                }
                set={(body) => act.mutate({ action: 'oddities', body })}
              />
            ))}
        </section>
      ))}
    </>
  )
}

interface OddityRowProps {
  oddity: Oddity
  on: boolean
  busy: boolean
  set: (body: object) => void
}

function OddityRow({ oddity, on, busy, set }: OddityRowProps) {
  const [parameters, setParameters] = useState(oddity.parameters)
  return (
    <div className={classes.oddity}>
      <Switch
        checked={on}
        disabled={busy}
        aria-label={oddity.name}
        onChange={() =>
          set(on ? { name: oddity.name, on: false } : { name: oddity.name, on: true, ...parameters })
        }
      />
      <div>
        <b>{oddity.name}</b>
        <div>{oddity.does}</div>
        {oddity.who && (
          <Text size="xs" c="dimmed">
            {oddity.who} ({oddity.source})
          </Text>
        )}
      </div>
      <div>
        {Object.entries(parameters).map(([name, value]) => (
          <NumberInput
            key={name}
            size="xs"
            w={110}
            label={name}
            value={value}
            disabled={on}
            onChange={(given) => typeof given === 'number' && setParameters({ ...parameters, [name]: given })}
          />
        ))}
      </div>
    </div>
  )
}
