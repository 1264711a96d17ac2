import { Button, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useMemo, useState } from 'react'
import { api, ok, sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { components } from '@/api/schema'
import { hasPage } from '@/app/pages'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { FormEnd } from '@/parts/FormEnd'
import { NOTHING } from '@/parts/format'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { useSending } from '@/parts/sending'
import tables from '@/parts/tables.module.css'
import { pathOf, type Station } from './data'
import { quirksOf, repairText, TRAITS, traitText, traitValue } from './quirks'

type Dialect = components['schemas']['StationDialectOut']
type Probed = components['schemas']['ProbedOut']

/** What is odd about it: repairs that its messages need, and the dialect that it speaks. */
export function OddTab({ station }: { station: Station }) {
  return (
    <>
      <Repairs station={station} />
      <DialectSection station={station} />
    </>
  )
}

function Repairs({ station }: { station: Station }) {
  const found = useQuery({
    queryKey: ['stations', station.id, 'repairs'],
    queryFn: async () =>
      (
        await ok(
          api.GET('/api/stations/{stationId}/messages', {
            params: { path: { stationId: station.id }, query: { repair: 'any', limit: 500 } as never },
          }),
        )
      ).items,
    refetchInterval: 15_000,
  })
  const quirks = useMemo(() => quirksOf(found.data ?? []), [found.data])
  return (
    <Section
      title="Repairs"
      about={
        station.strict
          ? 'The station is strict: nothing that it sends is repaired.'
          : 'What was put right in its newest messages that break the protocol.'
      }
    >
      {found.error && <ProblemNotice problem={found.error} />}
      {found.data && quirks.length === 0 && <p className={tables.none}>Nothing had to be repaired.</p>}
      {quirks.length > 0 && (
        <Scroller label="Repairs">
          <table className={tables.table}>
            <thead>
              <tr>
                <th scope="col">Repair</th>
                <th scope="col">In</th>
                <th scope="col" data-align="right">
                  Times
                </th>
                <th scope="col" data-align="right">
                  Last
                </th>
              </tr>
            </thead>
            <tbody>
              {quirks.map(({ repair, times, lastAt, actions }) => (
                <tr key={repair}>
                  <td>
                    {hasPage('/messages') ? (
                      <PageLink to="/messages" search={{ stationId: station.id, repair, view: 'log' }}>
                        {repairText(repair)}
                      </PageLink>
                    ) : (
                      repairText(repair)
                    )}
                  </td>
                  <td>{actions.join(', ') || NOTHING}</td>
                  <td data-align="right">{times}</td>
                  <td data-align="right">
                    <Ago at={lastAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Section>
  )
}

const ORIGINS: Readonly<Record<string, string>> = {
  reported: 'its configuration says so',
  builtIn: 'known of this model',
  learned: 'learned from its answers',
  operator: 'set for this model by an operator',
  station: 'set for this station',
}

function DialectSection({ station }: { station: Station }) {
  const { may } = useMe()
  const [edited, setEdited] = useState<string | null>(null)
  const key = ['stations', station.id, 'dialect']
  const found = useQuery<Dialect>({
    queryKey: key,
    queryFn: () => sendJson<Dialect>('GET', pathOf(station.id, '/dialect')),
  })
  if (found.error) return <ProblemNotice problem={found.error} retry={() => void found.refetch()} />
  if (found.data === undefined) return null
  const { traits, matched } = found.data
  return (
    <Section
      title="Dialect"
      about={
        matched.length > 0
          ? `How charging profiles and calls have to be for it, by ${matched.join(', ')}.`
          : 'How charging profiles and calls have to be for it. Nothing is known of its model.'
      }
      actions={may('operator') && station.online && <Probe station={station} />}
    >
      <Scroller label="Dialect">
        <table className={tables.table}>
          <thead>
            <tr>
              <th scope="col">Trait</th>
              <th scope="col">Value</th>
              <th scope="col" className={tables.extra}>
                Why
              </th>
              <th scope="col" aria-label="Change" />
            </tr>
          </thead>
          <tbody>
            {Object.entries(traits).map(([name, { value, origin, source }]) => (
              <tr key={name}>
                <td>{TRAITS[name]?.label ?? name}</td>
                <td>{value === null ? <span className="dimmed">as usual</span> : traitText(value)}</td>
                <td className={tables.extra}>
                  {origin === null ? '' : (ORIGINS[origin] ?? origin)}
                  {source && <span className="dimmed"> {source}</span>}
                </td>
                <td data-align="right">
                  {may('operator') && (
                    <Button
                      size="compact-xs"
                      variant="default"
                      aria-label={`Change: ${TRAITS[name]?.label ?? name}`}
                      onClick={() => setEdited(name)}
                    >
                      Change
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {edited !== null && (
        <EditTrait
          key={edited}
          station={station}
          name={edited}
          value={traits[edited]?.value}
          own={traits[edited]?.origin === 'station'}
          close={() => setEdited(null)}
        />
      )}
    </Section>
  )
}

interface EditTraitProps {
  station: Station
  name: string
  value: unknown
  own: boolean
  close: () => void
}

function EditTrait({ station, name, value, own, close }: EditTraitProps) {
  const queries = useQueryClient()
  const [typed, setTyped] = useState(traitText(value))
  const { errors, rest, busy, blame, send } = useSending([name], { lists: [name] })
  const wrong = Object.values(errors).join('; ') || null
  const trait = TRAITS[name] ?? { label: name, help: '', kind: 'list' as const }

  async function save(event: FormEvent | null) {
    event?.preventDefault()
    const wanted = event === null ? null : traitValue(name, typed)
    blame(wanted === undefined ? { [name]: 'This does not fit here' } : {})
    if (wanted === undefined) return
    await send(async () => {
      await sendJson('PATCH', pathOf(station.id, '/dialect'), { [name]: wanted })
      await queries.invalidateQueries({ queryKey: ['stations', station.id, 'dialect'] })
      close()
    })
  }

  return (
    <Modal opened onClose={close} title={trait.label}>
      <form onSubmit={save}>
        <Stack gap="sm">
          {trait.kind === 'flag' ? (
            <Select
              label="For this station alone"
              data={[
                { value: 'true', label: 'yes' },
                { value: 'false', label: 'no' },
              ]}
              value={typed || null}
              onChange={(chosen) => setTyped(chosen ?? '')}
              error={wrong}
            />
          ) : (
            <TextInput
              label="For this station alone"
              description={trait.help}
              data-autofocus
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              error={wrong}
            />
          )}
          <Text size="sm" c="dimmed">
            It counts more than all that is known of the model.
          </Text>
        </Stack>
        <FormEnd rest={rest}>
          {own && (
            <Button variant="default" disabled={busy} onClick={() => void save(null)}>
              Take it back
            </Button>
          )}
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Set
          </Button>
        </FormEnd>
      </form>
    </Modal>
  )
}

function Probe({ station }: { station: Station }) {
  const queries = useQueryClient()
  const [probed, setProbed] = useState<Probed | null>(null)
  return (
    <>
      <ConfirmAction
        title={`Try what ${station.name} takes?`}
        text="It is asked, and gets charging profiles with its own fallback share, to see which units, kinds and purposes it takes. What it answers is learned for its firmware."
        confirm="Try it"
        act={async () => setProbed(await sendJson<Probed>('POST', pathOf(station.id, '/probe'), {}))}
        onDone={() => void queries.invalidateQueries({ queryKey: ['stations', station.id, 'dialect'] })}
      >
        Try what it takes
      </ConfirmAction>
      <Modal opened={probed !== null} onClose={() => setProbed(null)} title="What it takes">
        {probed?.trials.map(({ what, outcome, status }) => (
          <Text size="sm" key={what}>
            {what}: <b>{status ?? outcome}</b>
          </Text>
        ))}
      </Modal>
    </>
  )
}
