import { Button, SimpleGrid, Switch, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { FormEnd } from '@/parts/FormEnd'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { useSending } from '@/parts/sending'
import { pathOf, type SiteRules } from './data'
import type { Site } from './form'
import { Preview } from './Preview'
import { RULE_FIELDS, rulesBody, type TypedRules, typedRules } from './rules'
import { circuitNames } from './Shares'
import classes from './sites.module.css'

/** The rules that power is shared by: what chargers do without us, what is kept free, what is given on. */
export function RulesForm({ site, rules }: { site: Site; rules: SiteRules }) {
  const queries = useQueryClient()
  const known = useMemo(() => typedRules(rules), [rules])
  const [typed, setTyped] = useState(known)
  const { errors, rest, busy, forgive, blame, send } = useSending(RULE_FIELDS)
  const { body, problems } = useMemo(() => rulesBody(typed, known), [typed, known])
  const dirty = Object.keys(body).length > 0
  useEffect(() => setTyped(known), [known])

  function set(name: keyof TypedRules, value: string | boolean) {
    setTyped((before) => ({ ...before, [name]: value }))
    forgive(name)
  }

  const field = (name: 'fallbackA' | 'leaseMinutes' | 'buildingMaxKw' | 'dailyWrites') => ({
    value: typed[name],
    error: errors[name],
    onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value),
  })

  const flag = (name: 'reclaim' | 'wakeUp' | 'steady') => ({
    mt: 'sm',
    checked: typed[name],
    onChange: (event: { currentTarget: { checked: boolean } }) => set(name, event.currentTarget.checked),
  })

  async function go(event: FormEvent) {
    event.preventDefault()
    blame(problems)
    if (Object.keys(problems).length > 0 || !dirty) return
    await send(async () => {
      const saved = await sendJson<SiteRules>('PATCH', pathOf(site.id, '/rules'), body)
      queries.setQueryData(['sites', site.id, 'rules'], saved)
      tellDone('Saved.')
    })
  }

  return (
    <div className={`${classes.beside} ${classes.next}`}>
      <Section title="Rules">
        <form onSubmit={go} noValidate>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
            <TextInput
              label="Fallback share, A"
              description="What each charger draws by itself when nobody tells it otherwise. Empty: its maximum where all fit, else 0."
              inputMode="decimal"
              {...field('fallbackA')}
            />
            <TextInput
              label="A limit holds, min"
              description="Without word from us; then the charger falls back. 0: until the session ends."
              inputMode="decimal"
              {...field('leaseMinutes')}
            />
            <TextInput
              label="The building at most, kW"
              description="Kept free while no site meter tells what it really draws."
              inputMode="decimal"
              {...field('buildingMaxKw')}
            />
            <TextInput
              label="Limits a charger is told a day"
              description="Then raises wait for tomorrow: its memory wears out."
              inputMode="numeric"
              {...field('dailyWrites')}
            />
          </SimpleGrid>
          <Switch label="What a car does not take is given to others" {...flag('reclaim')} />
          <Switch
            label="A car that sleeps through the end of its pause is woken"
            description="Its limit goes up first; if that does not help, its session is ended and begun anew, once."
            {...flag('wakeUp')}
          />
          <Switch
            label="Limits near the fair share stay"
            description="Fewer changes for chargers that wear out or are slow; shares are then only roughly equal."
            {...flag('steady')}
          />
          <FormEnd rest={rest}>
            <Button variant="default" disabled={!dirty} onClick={() => setTyped(known)}>
              Undo
            </Button>
            <Button type="submit" loading={busy} disabled={!dirty}>
              Save
            </Button>
          </FormEnd>
        </form>
      </Section>
      <Section title="What saving would do">
        <Preview
          siteId={site.id}
          supposed={dirty && Object.keys(problems).length === 0 ? { rules: body } : null}
          circuits={circuitNames(site)}
          idle="Change a rule: what would follow from it shows up here, before anything is saved."
        />
      </Section>
    </div>
  )
}
