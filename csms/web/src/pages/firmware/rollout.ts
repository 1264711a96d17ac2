import type { StationRow } from '../stations/rows'
import { fits, type Image } from './images'

/** A station that an image fits. */
export interface Candidate {
  row: StationRow
  /** It says that it runs this version. */
  runsIt: boolean
}

interface Narrowed {
  site: string | null
  /** These stations only. */
  only: readonly string[] | null
}

const order = new Intl.Collator('en', { numeric: true })

/** Returns the stations that an image fits, by name. */
export function candidates(
  rows: readonly StationRow[],
  image: Pick<Image, 'vendor' | 'model' | 'version'>,
  { site, only }: Narrowed,
): Candidate[] {
  const wanted = only === null ? null : new Set(only)
  return rows
    .filter(
      ({ station }) =>
        fits(image, station) &&
        (site === null || station.siteId === site) &&
        (wanted === null || wanted.has(station.id)),
    )
    .map((row) => ({
      row,
      runsIt: image.version !== null && row.station.firmwareVersion === image.version,
    }))
    .sort((a, b) => order.compare(a.row.station.name, b.row.station.name))
}
