import { Button, Select, SimpleGrid, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { sendJson } from '@/api/client'
import { FormEnd } from '@/parts/FormEnd'
import { tellDone } from '@/parts/notices'
import { useSending } from '@/parts/sending'
import { pathOf, useRefresh } from './data'
import type { Site } from './form'
import { LIMIT_FIELDS, limitOf, NO_LIMIT, supposedLimit, type TypedLimit } from './limits'
import { Preview } from './Preview'
import { circuitNames } from './Shares'
import classes from './sites.module.css'

/** Adds a limit with a start and an end; what it would do now stands beside it. */
export function AddLimit({ site, close }: { site: Site; close: () => void }) {
  const [typed, setTyped] = useState(NO_LIMIT)
  const { errors, rest, busy, forgive, blame, send } = useSending(LIMIT_FIELDS)
  const refresh = useRefresh(site.id)
  const circuits = circuitNames(site)

  const field = (name: keyof TypedLimit) => ({
    value: typed[name],
    error: errors[name],
    onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value),
  })

  function set(name: keyof TypedLimit, value: string) {
    setTyped((before) => ({ ...before, [name]: value }))
    forgive(name)
  }

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = limitOf(typed)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(async () => {
      await sendJson('POST', pathOf(site.id, '/limits'), body)
      await refresh()
      tellDone('Added.')
      close()
    })
  }

  return (
    <form onSubmit={go} noValidate className={classes.adding} aria-label="Add a limit">
      <div className={classes.beside}>
        <div>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
            <TextInput
              label="Limit, kW"
              withAsterisk
              data-autofocus
              inputMode="decimal"
              {...field('limitKw')}
            />
            <Select
              label="Of"
              allowDeselect={false}
              data={[
                { value: 'site', label: 'All that the site draws' },
                { value: 'charging', label: 'All chargers together' },
                ...[...circuits].map(([id, name]) => ({ value: `circuit ${id}`, label: `Circuit ${name}` })),
              ]}
              value={typed.of}
              error={errors.of}
              onChange={(value) => set('of', value ?? 'site')}
            />
            <TextInput
              label="From"
              description="Your clock. Empty: from now on."
              type="datetime-local"
              {...field('startsAt')}
            />
            <TextInput
              label="Until"
              description="Empty: until it is removed."
              type="datetime-local"
              {...field('endsAt')}
            />
            <TextInput
              label="Why"
              placeholder="Grid operator, section 14a"
              maxLength={255}
              {...field('reason')}
            />
          </SimpleGrid>
          <FormEnd rest={rest}>
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Add
            </Button>
          </FormEnd>
        </div>
        <div>
          <h3 className={classes.subhead}>If it held now</h3>
          <Preview
            siteId={site.id}
            supposed={supposedLimit(typed)}
            circuits={circuits}
            idle="Type a limit: what each session would get under it shows up here."
          />
        </div>
      </div>
    </form>
  )
}
