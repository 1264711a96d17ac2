import { Loader, Tabs } from '@mantine/core'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useMe } from '@/api/me'
import { useSite } from '@/live/hooks'
import { EmptyState } from '@/parts/EmptyState'
import { PageHeader } from '@/parts/PageHeader'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StatusBadge } from '@/parts/StatusBadge'
import { useSiteSetup } from './data'
import type { Site } from './form'
import { LimitsTab } from './LimitsTab'
import { NowTab } from './NowTab'
import { SetupTab } from './SetupTab'
import { Warnings } from './Warnings'
import { WhatIfTab } from './WhatIfTab'

const TABS = [
  { value: 'now', label: 'Now', Content: NowTab, writes: false },
  { value: 'limits', label: 'Limits and meter', Content: LimitsTab, writes: false },
  { value: 'what-if', label: 'What if', Content: WhatIfTab, writes: true },
  { value: 'setup', label: 'Set-up', Content: SetupTab, writes: false },
]

/** One site: what flows and why, what narrows it, what would be otherwise, how it is set up. */
export default function SitePage() {
  const { siteId = '' } = useParams({ strict: false }) as { siteId?: string }
  const setup = useSiteSetup(siteId)
  if (setup.error?.status === 404)
    return (
      <>
        <PageHeader title={siteId} />
        <EmptyState icon="site" title="There is no such site" action={<Link to="/sites">To all sites</Link>}>
          It was removed, or it was never added.
        </EmptyState>
      </>
    )
  if (setup.data !== undefined) return <SiteView key={siteId} site={setup.data} />
  return setup.error ? (
    <ProblemNotice problem={setup.error} retry={() => void setup.refetch()} />
  ) : (
    <Loader aria-label="Loading" />
  )
}

function SiteView({ site }: { site: Site }) {
  const { may } = useMe()
  const navigate = useNavigate()
  const live = useSite(site.id)
  const { tab = 'now' } = useSearch({ strict: false }) as { tab?: string }
  const tabs = TABS.filter(({ writes }) => !writes || may('operator'))
  const chosen = tabs.some(({ value }) => value === tab) ? tab : 'now'
  const held = live !== undefined && live.limitKw !== null && live.limitKw < live.gridCapacityKw
  return (
    <>
      <PageHeader
        title={site.name}
        beside={held && <StatusBadge status="limited" tone="warning" text="A limit holds" />}
        subtitle={`${site.name === site.id ? '' : `${site.id} · `}${site.chargers.length} ${
          site.chargers.length === 1 ? 'charger' : 'chargers'
        } · times in ${site.timeZone}`}
      />
      <Warnings texts={live?.warnings ?? []} />
      <Tabs
        value={chosen}
        keepMounted={false}
        onChange={(value) =>
          void navigate({
            to: '.',
            search: ((before: { site?: string }) => ({
              ...(before.site ? { site: before.site } : {}),
              ...(value === 'now' ? {} : { tab: value }),
            })) as never,
            replace: true,
          })
        }
      >
        <Tabs.List mb="sm" aria-label="About this site">
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ value, Content }) => (
          <Tabs.Panel key={value} value={value}>
            <Content site={site} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  )
}
