import { Alert, Anchor, Button, Card, Group, Select, Stack, Text, Title } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useStations } from '@/live/hooks'
import { Icon } from '@/parts/Icon'
import { Choice } from './Choice'
import classes from './driverpages.module.css'
import { codeOf, isLocal, sheetOf, useRules } from './rules'

/** One station: what drivers may do there, and the codes of its connectors. */
export function StationCodes({ site }: { site: string | null }) {
  const stations = useStations()
  const [chosen, setChosen] = useState<string | null>(null)
  const choices = useMemo(
    () =>
      stations
        .filter((station) => site === null || station.siteId === site)
        .map((station) => ({
          value: station.id,
          label: station.name === station.id ? station.id : `${station.name} (${station.id})`,
        }))
        .sort((one, other) => one.label.localeCompare(other.label, undefined, { numeric: true })),
    [stations, site],
  )
  const station = stations.find((each) => each.id === chosen)
  return (
    <Stack gap="sm">
      <Select
        label="Station"
        placeholder="Choose a station"
        maw={420}
        searchable
        limit={50}
        data={choices}
        value={chosen}
        onChange={setChosen}
        nothingFoundMessage="No such station"
      />
      {station && <Codes key={station.id} stationId={station.id} name={station.name} />}
    </Stack>
  )
}

function Codes({ stationId, name }: { stationId: string; name: string }) {
  const subject = { kind: 'station', id: stationId } as const
  const rules = useRules(subject)
  const pages = rules.data?.pages ?? []
  const off = rules.data?.effective.access === 'off'
  return (
    <>
      <Choice subject={subject} name={name} />
      {off && (
        <Text c="dimmed" size="sm">
          Its pages are off: whoever scans these codes is told that there is no page.
        </Text>
      )}
      {pages.some(({ url }) => isLocal(url)) && (
        <Alert color="orange" variant="light" icon={<Icon name="alert" />} maw={640}>
          These codes lead to this machine alone. Set CSMS_PUBLIC_URL to what drivers’ phones can reach before
          you print any.
        </Alert>
      )}
      <div className={classes.codes}>
        {pages.map(({ connectorId, url }) => (
          <Card key={connectorId} withBorder padding="sm">
            <Title order={3}>Connector {connectorId}</Title>
            <img
              src={codeOf(stationId, connectorId)}
              alt={`QR code of connector ${connectorId}`}
              className={classes.code}
            />
            <Anchor href={url} target="_blank" rel="noreferrer" size="sm" className={classes.address}>
              {url}
            </Anchor>
          </Card>
        ))}
      </div>
      {pages.length > 0 && (
        <Group>
          <Button
            component="a"
            href={sheetOf(subject)}
            target="_blank"
            rel="noreferrer"
            variant="default"
            leftSection={<Icon name="external" size={14} />}
          >
            Labels to print
          </Button>
        </Group>
      )}
    </>
  )
}
