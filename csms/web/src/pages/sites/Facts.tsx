import type { ReactNode } from 'react'
import type { LiveSite } from '@/live/types'
import { Ago } from '@/parts/Ago'
import { energy, NOTHING, power } from '@/parts/format'
import { Tile, Tiles } from '@/parts/Tiles'
import type { Site } from './form'

/** The site's numbers of this moment. */
export function Facts({ site, live }: { site: Site; live: LiveSite | undefined }) {
  const grid = live?.circuits?.find(({ id }) => id === 'grid')
  const limit = live?.limitKw ?? site.gridCapacityKw
  const facts: [string, string, ReactNode][] = [
    ['Chargers draw', power(live?.powerKw), `${live?.activeSessions ?? 0} sessions`],
    [
      'Limit now',
      power(limit),
      limit < site.gridCapacityKw
        ? `the connection gives ${power(site.gridCapacityKw)}`
        : 'the grid connection',
    ],
    [
      'Headroom',
      power(grid?.headroomKw),
      live?.decidedAt ? (
        <>
          decided <Ago at={live.decidedAt} timeZone={site.timeZone} />
        </>
      ) : (
        'nothing decided yet'
      ),
    ],
  ]
  if (site.batteries.length > 0) {
    const flow = live?.battery?.powerKw ?? null
    const words = flow === null || flow === 0 ? 'at rest' : flow > 0 ? 'it gives' : 'it is charged'
    facts.push([
      'Battery',
      flow === null ? NOTHING : power(Math.abs(flow)),
      `${words}, ${energy(live?.battery?.energyKwh)} in it`,
    ])
  }
  const meter = live?.meterKw ?? null
  if (meter !== null)
    facts.push(['Grid meter', power(Math.abs(meter)), meter < 0 ? 'into the grid' : 'out of the grid'])
  if (live?.solarKw != null) facts.push(['Solar', power(live.solarKw), 'as the site meter has told'])
  return (
    <Tiles>
      {facts.map(([name, value, more]) => (
        <Tile key={name} name={name} value={value}>
          {more}
        </Tile>
      ))}
    </Tiles>
  )
}
