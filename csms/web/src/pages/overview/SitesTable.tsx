import { energy, money, power } from '@/parts/format'
import { PageLink } from '@/parts/PageLink'
import { PowerBar } from '@/parts/PowerBar'
import tables from '@/parts/tables.module.css'
import classes from './overview.module.css'
import { type SiteNow, supplyOf } from './summary'

/** Each site's power against what it may take, and its day. */
export function SitesTable({ places }: { places: readonly SiteNow[] }) {
  return (
    <table className={tables.table}>
      <thead>
        <tr>
          <th scope="col">Site</th>
          <th scope="col" className={classes.wide}>
            Power now
          </th>
          <th scope="col" data-align="right" className={tables.extra}>
            Sessions
          </th>
          <th scope="col" data-align="right" className={tables.extra}>
            Today
          </th>
          <th scope="col" data-align="right" className={tables.extra}>
            Revenue
          </th>
        </tr>
      </thead>
      <tbody>
        {places.map(({ site, today, warnings }) => {
          const reduced = site.limitKw !== null && site.limitKw < site.gridCapacityKw
          return (
            <tr key={site.id}>
              <th scope="row">
                <PageLink to="/sites/$siteId" params={{ siteId: site.id }} className="row-link">
                  {site.name}
                </PageLink>
                {warnings > 0 && (
                  <span className={classes.warnings} title={`${warnings} of what needs you is here`}>
                    {warnings}
                  </span>
                )}
              </th>
              <td>
                <PowerBar label={`Power of ${site.name}`} value={site.powerKw} capacity={supplyOf(site)} />
                {site.battery && site.battery.powerKw > 0 && (
                  <span className={classes.note}>{power(site.battery.powerKw)} from the battery</span>
                )}
                {reduced && <span className={classes.reduced}>limited now; the grid gives more</span>}
              </td>
              <td data-align="right" className={tables.extra}>
                {site.activeSessions}
              </td>
              <td data-align="right" className={tables.extra}>
                {energy(today?.energyKwh)}
              </td>
              <td data-align="right" className={tables.extra}>
                {money(today?.revenue, today?.currency)}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
