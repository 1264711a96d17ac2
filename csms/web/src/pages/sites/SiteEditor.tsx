import { Button, Modal } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useMemo, useState } from 'react'
import { sendJson } from '@/api/client'
import { FormEnd } from '@/parts/FormEnd'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { useSending } from '@/parts/sending'
import { pathOf } from './data'
import { bodyOf, FIELDS, newSite, type Site, supposedOf, type TypedSite, typedOf } from './form'
import { Preview } from './Preview'
import { SiteForm } from './SiteForm'
import classes from './sites.module.css'

const LISTS = ['circuits', 'batteries']

interface AddSiteProps {
  close: () => void
  added: (site: Site) => void
}

/** Adds a site. */
export function AddSite({ close, added }: AddSiteProps) {
  const [typed, setTyped] = useState<TypedSite>(() =>
    newSite(Intl.DateTimeFormat().resolvedOptions().timeZone),
  )
  const { errors, rest, busy, forgive, blame, send } = useSending(FIELDS, { lists: LISTS })

  async function go(event: FormEvent) {
    event.preventDefault()
    const { body, problems } = bodyOf(typed)
    blame(problems)
    if (Object.keys(problems).length > 0) return
    await send(async () => added(await sendJson<Site>('POST', '/api/sites', body)))
  }

  return (
    <Modal opened onClose={close} title="Add a site" size="xl">
      <form onSubmit={go} noValidate>
        <SiteForm
          typed={typed}
          errors={errors}
          set={(change, path) => {
            setTyped((before) => ({ ...before, ...change }))
            forgive(path)
          }}
        />
        <FormEnd rest={rest}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Add
          </Button>
        </FormEnd>
      </form>
    </Modal>
  )
}

/** Changes how a site is set up; what that means for those who charge now stands beside it. */
export function EditSite({ site }: { site: Site }) {
  const queries = useQueryClient()
  const known = useMemo(() => typedOf(site), [site])
  const [before, setBefore] = useState(known)
  const [typed, setTyped] = useState(known)
  const { errors, rest, busy, forgive, blame, send } = useSending(FIELDS, { lists: LISTS })
  const change = useMemo(() => bodyOf(typed, before), [typed, before])
  const dirty = Object.keys(change.body).length > 0
  const circuits = useMemo(
    () => new Map(typed.circuits.map(({ id, name }) => [id, name || id])),
    [typed.circuits],
  )

  // what others have changed meanwhile is shown, unless something is typed here
  useEffect(() => {
    if (dirty) return
    setBefore(known)
    setTyped(known)
  }, [known, dirty])

  async function go(event: FormEvent) {
    event.preventDefault()
    blame(change.problems)
    if (Object.keys(change.problems).length > 0 || !dirty) return
    await send(async () => {
      const saved = await sendJson<Site>('PATCH', pathOf(site.id), change.body)
      setBefore(typedOf(saved))
      setTyped(typedOf(saved))
      queries.setQueryData(['sites', site.id], saved)
      tellDone('Saved.')
    })
  }

  return (
    <div className={classes.beside}>
      <Section title="Connection, circuits and batteries">
        <form onSubmit={go} noValidate>
          <SiteForm
            known
            typed={typed}
            errors={errors}
            set={(part, path) => {
              setTyped((now) => ({ ...now, ...part }))
              forgive(path)
            }}
          />
          <FormEnd rest={rest}>
            <Button variant="default" disabled={!dirty} onClick={() => setTyped(before)}>
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
          supposed={supposedOf(change)}
          circuits={circuits}
          idle="Change a limit, a circuit or the rule: what every session would get then shows up here, before anything is saved."
        />
      </Section>
    </div>
  )
}
