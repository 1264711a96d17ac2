import { Button, Code, Group, Loader, Pagination, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useMe } from '@/api/me'
import type { Problem } from '@/api/problem'
import { EmptyState } from '@/parts/EmptyState'
import { power } from '@/parts/format'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { type About, useAbout } from './about'
import { type Charging, chargeACar, type Step } from './chargeACar'
import { StationCard } from './StationCard'
import { PAGE_SIZE, type StationPage, useSimStations } from './simulator'
import classes from './simulator.module.css'

/** Simulated charge points: what they do now, and everything a driver or the weather could do to them. */
export default function SimulatorPage() {
  const about = useAbout()
  if (about.error) return <ProblemNotice problem={about.error} retry={() => about.refetch()} />
  if (about.data === undefined) return <Loader aria-label="Loading" />
  if (!about.data.configured) return <NotConfigured />
  if (!about.data.reachable) return <Away detail={about.data.detail} />
  return <Simulator about={about.data} />
}

function Simulator({ about }: { about: About }) {
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed, 250)
  const [page, setPage] = useState(1)
  const stations = useSimStations(search, (page - 1) * PAGE_SIZE, true)
  const { may } = useMe()
  const shown = stations.data
  const charge = useChargeACar(shown, about)
  const pages = Math.ceil((shown?.total ?? 0) / PAGE_SIZE)
  return (
    <>
      <PageHeader
        title="Simulator"
        subtitle={shown && shown.total > 0 && <Summary page={shown} />}
        actions={
          <Group gap="xs" align="flex-start">
            {(typed !== '' || (shown?.total ?? 0) > 0) && (
              <TextInput
                type="search"
                data-filter
                aria-label="Find a charge point"
                placeholder="Find a charge point"
                leftSection={<Icon name="search" size={14} />}
                value={typed}
                onChange={(event) => {
                  setTyped(event.currentTarget.value)
                  setPage(1)
                }}
              />
            )}
            {may('operator') && shown && shown.total > 0 && <ChargeButton charge={charge} />}
          </Group>
        }
      />
      <ChargeResult charge={charge} />
      {stations.error && <ProblemNotice problem={stations.error} retry={() => stations.refetch()} />}
      {shown?.total === 0 &&
        (search === '' ? <Empty about={about} charge={charge} /> : <NothingFound search={search} />)}
      {shown && (
        <div className={classes.grid}>
          {shown.items.map((station) => (
            <StationCard key={station.identity} station={station} />
          ))}
        </div>
      )}
      {pages > 1 && (
        <Pagination
          mt="md"
          total={pages}
          value={page}
          onChange={setPage}
          getControlProps={(control) => ({ 'aria-label': control })}
        />
      )}
    </>
  )
}

function Summary({ page }: { page: StationPage }) {
  const connectors = page.items.flatMap((each) => each.connectors)
  const online = page.items.filter((each) => each.online).length
  const charging = connectors.filter((each) => each.powerW > 0)
  const watts = charging.reduce((sum, each) => sum + each.powerW, 0)
  const part = page.total > page.items.length
  return (
    <span className="num">
      {part
        ? `${page.items.length} of ${page.total} are shown: ${online}`
        : `${online} of ${page.items.length}`}{' '}
      online, {charging.length} charging, {power(watts / 1000)}
    </span>
  )
}

/** One click: a car, plugged in somewhere, charging; pending until the charge point has started. */
function useChargeACar(page: StationPage | undefined, about: About) {
  const queries = useQueryClient()
  const [step, setStep] = useState<Step | null>(null)
  const charge = useMutation<Charging, Problem>({
    mutationFn: () => chargeACar(page?.items ?? [], about.makesStations, setStep),
    onSettled: () => {
      setStep(null)
      void queries.invalidateQueries({ queryKey: ['simulator'] })
    },
  })
  return { ...charge, step }
}

type Charge = ReturnType<typeof useChargeACar>

function ChargeButton({ charge, size }: { charge: Charge; size?: string }) {
  return (
    <Button
      size={size}
      leftSection={<Icon name="bolt" size={14} />}
      onClick={() => charge.mutate()}
      disabled={charge.isPending}
    >
      {charge.step ?? 'Charge a car'}
    </Button>
  )
}

/** What has become of the click. */
function ChargeResult({ charge }: { charge: Charge }) {
  return (
    <div role="status">
      {charge.error && (
        <Text size="sm" mb="sm" c="var(--csms-bad)">
          {charge.error.message}
        </Text>
      )}
      {charge.data && (
        <Text size="sm" mb="sm">
          {charge.data.identity}, connector {charge.data.connectorId}:{' '}
          {charge.data.sessionId === null ? (
            'accepted, not started yet'
          ) : (
            <PageLink to="/sessions/$sessionId" params={{ sessionId: charge.data.sessionId }}>
              session {charge.data.sessionId}
            </PageLink>
          )}
        </Text>
      )}
    </div>
  )
}

function Empty({ about, charge }: { about: About; charge: Charge }) {
  const { may } = useMe()
  if (!about.makesStations)
    return (
      <EmptyState icon="plug" title="The simulator has no charge points">
        It was started without any; <Code>python -m simulator run --stations 10</Code> starts one that has.
      </EmptyState>
    )
  return (
    <EmptyState
      icon="plug"
      title="No charge points yet"
      action={may('operator') && <ChargeButton charge={charge} size="sm" />}
    >
      One click adds a simulated station here, plugs a car in and starts its session.
    </EmptyState>
  )
}

function NothingFound({ search }: { search: string }) {
  return (
    <EmptyState icon="search" title="No charge point has such a name">
      None contains “{search}”.
    </EmptyState>
  )
}

function NotConfigured() {
  return (
    <>
      <PageHeader title="Simulator" />
      <EmptyState icon="plug" title="No simulator is connected">
        <Code>make demo</Code> brings one along. Beside <Code>csms serve</Code>, start{' '}
        <Code>python -m simulator serve</Code>, and csms with{' '}
        <Code>CSMS_SIMULATOR_URL=http://127.0.0.1:3000</Code>.
      </EmptyState>
    </>
  )
}

function Away({ detail }: { detail: string | null }) {
  return (
    <>
      <PageHeader title="Simulator" />
      <EmptyState icon="wifiOff" title="The simulator does not answer">
        {detail} This page looks for it every few seconds.
      </EmptyState>
    </>
  )
}
