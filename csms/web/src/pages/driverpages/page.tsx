import { Button, Stack, Text, Title } from '@mantine/core'
import { useSiteFilter } from '@/app/site'
import { useLoaded, useSites } from '@/live/hooks'
import { EmptyState } from '@/parts/EmptyState'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { Scroller } from '@/parts/Scroller'
import tables from '@/parts/tables.module.css'
import { Choice } from './Choice'
import { sheetOf } from './rules'
import { StationCodes } from './StationCodes'

const MOST_SITES = 50

/** Where drivers have pages behind QR codes, what they may do there, and the labels to print. */
export default function DriverPagesPage() {
  const loaded = useLoaded('sites')
  const sites = useSites()
  const [filter] = useSiteFilter()
  const chosen = sites.filter((site) => filter === null || site.id === filter)
  const shown = chosen.slice(0, MOST_SITES)
  return (
    <>
      <PageHeader
        title="Driver pages"
        subtitle="Each connector has a page behind its QR code: state, price, start, live values and stop, in English, German, French and Spanish."
      />
      <Stack gap="xl">
        <section aria-labelledby="sites-head">
          <Title order={2} id="sites-head" mb="xs">
            Sites
          </Title>
          {loaded && chosen.length === 0 && (
            <EmptyState icon="site" title="No site">
              What drivers may do is said for a site or for one station. Stations without a site are below.
            </EmptyState>
          )}
          {shown.length > 0 && (
            <Scroller label="Sites">
              <table className={`${tables.table} ${tables.middle} ${tables.stacked}`}>
                <thead>
                  <tr>
                    <th scope="col">Site</th>
                    <th scope="col">Drivers at its stations</th>
                    <th scope="col">Labels</th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((site) => (
                    <tr key={site.id}>
                      <th scope="row" data-wide>
                        <b>{site.name}</b>
                      </th>
                      <td data-wide>
                        <Choice subject={{ kind: 'site', id: site.id }} name={site.name} />
                      </td>
                      <td data-wide>
                        <Button
                          component="a"
                          href={sheetOf({ kind: 'site', id: site.id })}
                          target="_blank"
                          rel="noreferrer"
                          variant="default"
                          leftSection={<Icon name="external" size={14} />}
                          aria-label={`Labels of ${site.name} to print`}
                        >
                          To print
                        </Button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroller>
          )}
          {chosen.length > shown.length && (
            <Text c="dimmed" size="sm" mt="xs">
              {chosen.length - shown.length} more: choose a site at the top.
            </Text>
          )}
        </section>
        <section aria-labelledby="station-head">
          <Title order={2} id="station-head" mb="xs">
            One station
          </Title>
          <StationCodes site={filter} />
        </section>
      </Stack>
    </>
  )
}
