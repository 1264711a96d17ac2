import { Button, Loader, Tabs } from '@mantine/core'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useMe } from '@/api/me'
import { hasPage } from '@/app/pages'
import { useSite } from '@/live/hooks'
import { Ago } from '@/parts/Ago'
import { EmptyState } from '@/parts/EmptyState'
import { PageHeader } from '@/parts/PageHeader'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { StatusBadge } from '@/parts/StatusBadge'
import { CallsTab } from './CallsTab'
import { ConfigurationTab } from './ConfigurationTab'
import { Diary, DiaryTab } from './DiaryTab'
import { type Station, useStation } from './data'
import { FirmwareTab } from './FirmwareTab'
import { ListTab } from './ListTab'
import { NowTab } from './NowTab'
import { OddTab } from './OddTab'
import { SecurityTab } from './SecurityTab'
import { StationMenu } from './StationMenu'
import classes from './station.module.css'

const TABS = [
  { value: 'now', label: 'Now', Content: NowTab },
  { value: 'calls', label: 'Calls', Content: CallsTab },
  { value: 'configuration', label: 'Configuration', Content: ConfigurationTab },
  { value: 'firmware', label: 'Firmware and files', Content: FirmwareTab },
  { value: 'security', label: 'Security', Content: SecurityTab },
  { value: 'list', label: 'Local list', Content: ListTab },
  { value: 'diary', label: 'Diary', Content: DiaryTab },
  { value: 'odd', label: 'Quirks', Content: OddTab },
]

/** One station: what it does, what it holds, what it was told, what is odd about it. */
export default function StationPage() {
  const { stationId = '' } = useParams({ strict: false }) as { stationId?: string }
  const { station, error, refetch } = useStation(stationId)
  if (error?.status === 404) return <Stranger stationId={stationId} />
  if (station === undefined)
    return error ? (
      <ProblemNotice problem={error} retry={() => void refetch()} />
    ) : (
      <Loader aria-label="Loading" />
    )
  return <StationView key={station.id} station={station} />
}

function StationView({ station }: { station: Station }) {
  const { may } = useMe()
  const navigate = useNavigate()
  const { tab = 'now' } = useSearch({ strict: false }) as { tab?: string }
  const chosen = TABS.some(({ value }) => value === tab) ? tab : 'now'
  return (
    <>
      <PageHeader
        title={station.name}
        beside={<States station={station} />}
        subtitle={<Where station={station} />}
        actions={may('operator') && <StationMenu station={station} />}
      />
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
        <div className={classes.tabs}>
          <Tabs.List mb="sm" aria-label="About this station">
            {TABS.map(({ value, label }) => (
              <Tabs.Tab key={value} value={value}>
                {label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </div>
        {TABS.map(({ value, Content }) => (
          <Tabs.Panel key={value} value={value}>
            <Content station={station} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  )
}

function States({ station }: { station: Station }) {
  return (
    <>
      <StatusBadge status={station.online ? 'online' : 'offline'} />
      {station.registration !== 'Accepted' && (
        <StatusBadge
          status={station.registration}
          text={station.registration === 'Pending' ? 'Waiting to be let in' : 'Not let in'}
        />
      )}
    </>
  )
}

function Where({ station }: { station: Station }) {
  const site = useSite(station.siteId)
  const kind = [station.vendor, station.model].filter(Boolean).join(' ')
  return (
    <>
      {station.name !== station.id && <>{station.id} · </>}
      {station.siteId !== null && (
        <>
          <PageLink to="/sites/$siteId" params={{ siteId: station.siteId }}>
            {site?.name ?? station.siteId}
          </PageLink>{' '}
          ·{' '}
        </>
      )}
      {kind && <>{kind} · </>}
      {station.lastSeenAt === null ? (
        'never seen'
      ) : (
        <>
          seen <Ago at={station.lastSeenAt} />
        </>
      )}
    </>
  )
}

/** Who is no station may have tried to come in nevertheless. */
function Stranger({ stationId }: { stationId: string }) {
  const { may } = useMe()
  return (
    <>
      <PageHeader title={stationId} />
      <EmptyState
        icon="station"
        title="There is no such station"
        action={
          may('operator') &&
          hasPage('/wizard') && (
            <Button component={Link} to="/wizard" search={{ identity: stationId } as never}>
              Connect it
            </Button>
          )
        }
      >
        It was removed, or it was never added. What came under this name stands below.
      </EmptyState>
      <Diary stationId={stationId} />
    </>
  )
}
