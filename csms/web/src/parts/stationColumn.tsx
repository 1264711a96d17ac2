import type { ListColumn } from './Listing'
import { PageLink } from './PageLink'

/** The column of a list that names the station of each row and leads to a tab of its page. */
export function stationColumn<T extends { stationId: string }>(tab: string): ListColumn<T> {
  return {
    header: 'Station',
    cell: ({ stationId }) => (
      <PageLink to="/stations/$stationId" params={{ stationId }} search={{ tab }} className="row-link">
        {stationId}
      </PageLink>
    ),
  }
}
