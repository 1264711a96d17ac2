import { useNavigate } from '@tanstack/react-router'
import { send } from '@/api/client'
import { useMe } from '@/api/me'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { duration, energy, NOTHING, power } from '@/parts/format'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { pathOf, useRules } from './data'
import { POLICIES, type Site } from './form'
import { RulesForm } from './RulesForm'
import { EditSite } from './SiteEditor'
import { StationsOfSite } from './StationsOfSite'
import classes from './sites.module.css'

/** How a site is set up: connection, circuits, batteries, rules, stations. */
export function SetupTab({ site }: { site: Site }) {
  const { may } = useMe()
  const rules = useRules(site.id)
  return (
    <>
      {may('operator') ? <EditSite site={site} /> : <SetupShown site={site} />}
      {rules.data &&
        (may('operator') ? (
          <RulesForm site={site} rules={rules.data} />
        ) : (
          <Section title="Rules">
            <dl className={classes.pairs}>
              <Pair
                name="Fallback share"
                value={rules.data.fallbackA === null ? 'by itself' : `${rules.data.fallbackA} A`}
              />
              <Pair
                name="A limit holds"
                value={rules.data.leaseS === 0 ? 'until the session ends' : duration(rules.data.leaseS)}
              />
              <Pair name="Building at most" value={power(rules.data.buildingMaxKw)} />
              <Pair name="Limits a day" value={String(rules.data.dailyWrites)} />
              <Pair name="Unused power goes to others" value={rules.data.reclaim ? 'yes' : 'no'} />
              <Pair name="Sleeping cars are woken" value={rules.data.wakeUp ? 'yes' : 'no'} />
              <Pair name="Limits near the fair share stay" value={rules.data.steady ? 'yes' : 'no'} />
            </dl>
          </Section>
        ))}
      <StationsOfSite site={site} />
      {may('operator') && <Removal site={site} />}
    </>
  )
}

function SetupShown({ site }: { site: Site }) {
  return (
    <Section title="Connection, circuits and batteries">
      <dl className={classes.pairs}>
        <Pair name="Grid connection" value={power(site.gridCapacityKw)} />
        <Pair name="On each phase" value={site.gridLimitA === null ? NOTHING : `${site.gridLimitA} A`} />
        <Pair name="Time zone" value={site.timeZone} />
        <Pair
          name="Sharing rule"
          value={POLICIES.find(({ value }) => value === site.policy)?.label ?? site.policy}
        />
        {site.circuits.map((circuit) => (
          <Pair
            key={circuit.id}
            name={`Circuit ${circuit.name ?? circuit.id}`}
            value={`${power(circuit.limitKw)}${circuit.limitA === null ? '' : `, ${circuit.limitA} A a phase`}`}
          />
        ))}
        {site.batteries.map((battery) => (
          <Pair
            key={battery.id}
            name={`Battery ${battery.id}`}
            value={`${energy(battery.capacityKwh)}, ${power(battery.powerKw)}`}
          />
        ))}
      </dl>
    </Section>
  )
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function Removal({ site }: { site: Site }) {
  const navigate = useNavigate()
  return (
    <Section
      title="Remove this site"
      about="Its stations stay, without a site: nobody keeps them below a common limit then."
    >
      <ConfirmAction
        title={`Remove the site ${site.name}?`}
        text={`${site.chargers.length} chargers lose their common limit of ${power(site.gridCapacityKw)}. Its circuits, batteries and limits are gone for good.`}
        confirm="Remove the site"
        act={() => send(pathOf(site.id), { method: 'DELETE' })}
        onDone={() => {
          tellDone(`${site.name} is removed.`)
          void navigate({ to: '/sites', search: {} as never })
        }}
      >
        Remove the site
      </ConfirmAction>
    </Section>
  )
}
