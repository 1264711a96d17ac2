import type { LiveAttention, LiveSession, LiveSite, LiveStation, LiveToday, Severity } from '@/live/types'
import { powerNow } from '@/parts/PowerNow'

/** What the overview says of one site, or of all. */
export interface SiteNow {
  site: LiveSite
  today: LiveToday | undefined
  warnings: number
}

const URGENCY: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 }

/** Returns what needs somebody at a site (null: anywhere), the most severe first, then the oldest. */
export function urgent(
  items: readonly LiveAttention[],
  site: string | null,
  siteOfStation: (id: string) => string | null | undefined,
): LiveAttention[] {
  return items
    .filter((item) => {
      if (site === null) return true
      if (item.siteId) return item.siteId === site
      const at = item.stationId ? siteOfStation(item.stationId) : null
      return at === site
    })
    .sort(
      (a, b) => URGENCY[a.severity] - URGENCY[b.severity] || since(a) - since(b) || (a.id < b.id ? -1 : 1),
    )
}

function since(item: LiveAttention): number {
  return item.since === null ? Number.POSITIVE_INFINITY : Date.parse(item.since)
}

/** Returns the same things by their kinds, the kind of the first one first. */
export function byKind(items: readonly LiveAttention[]): LiveAttention[][] {
  const groups = new Map<string, LiveAttention[]>()
  for (const item of items) {
    const group = groups.get(item.kind)
    if (group === undefined) groups.set(item.kind, [item])
    else group.push(item)
  }
  return [...groups.values()]
}

const SHOWN_ALONE = 8
const SHOWN_OF_EACH = 3

/** Returns those of one kind that are shown among `kinds` kinds, unless all shall be. */
export function firstOf(
  items: readonly LiveAttention[],
  kinds: number,
  all: boolean,
): readonly LiveAttention[] {
  const most = kinds === 1 ? SHOWN_ALONE : SHOWN_OF_EACH
  return all || items.length <= most + 1 ? items : items.slice(0, most)
}

/** Returns the sites with their day, the fullest first. */
export function sitesNow(
  sites: readonly LiveSite[],
  today: readonly LiveToday[],
  attention: readonly LiveAttention[],
): SiteNow[] {
  const days = new Map(today.map((day) => [day.id, day]))
  const warnings = new Map<string, number>()
  for (const { siteId, severity } of attention)
    if (siteId && severity !== 'info') warnings.set(siteId, (warnings.get(siteId) ?? 0) + 1)
  return sites
    .map((site) => ({ site, today: days.get(site.id), warnings: warnings.get(site.id) ?? 0 }))
    .sort((a, b) => fullness(b.site) - fullness(a.site) || (a.site.name < b.site.name ? -1 : 1))
}

/** Returns what the chargers of a site may take now: from the grid, and from the battery while it gives. */
export function supplyOf(site: LiveSite): number {
  return (site.limitKw ?? site.gridCapacityKw) + Math.max(0, site.battery?.powerKw ?? 0)
}

/** Returns what the chargers of these sites may take now, kW; null without a site. */
export function supply(places: readonly SiteNow[]): number | null {
  return places.length === 0 ? null : places.reduce((sum, { site }) => sum + supplyOf(site), 0)
}

/** Returns what is drawn now, kW: the sum of nothing that is measured is not 0, but null. */
export function drawnNow({ powerKw }: Pick<LiveToday, 'powerKw'>, unmeasured: number): number | null {
  return powerKw === 0 && unmeasured > 0 ? null : powerKw
}

function fullness(site: LiveSite): number {
  const capacity = supplyOf(site)
  return capacity > 0 ? (site.powerKw ?? 0) / capacity : 0
}

/** Returns the running sessions of a site (null: anywhere), the strongest first. */
export function strongest(
  sessions: readonly LiveSession[],
  site: string | null,
  stations: ReadonlyMap<string, LiveStation>,
): LiveSession[] {
  return sessions
    .filter(
      (session) =>
        session.status === 'active' && (site === null || stations.get(session.stationId)?.siteId === site),
    )
    .map((session) => ({ session, kw: powerNow(session, stations.get(session.stationId)) ?? -1 }))
    .sort((a, b) => b.kw - a.kw || b.session.transactionId - a.session.transactionId)
    .map(({ session }) => session)
}
