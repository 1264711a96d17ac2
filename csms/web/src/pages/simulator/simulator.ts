import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { sendJson } from '@/api/client'
import type { Problem } from '@/api/problem'

/** A connector as the simulator shows it: W, A and Wh, not yet kilo. */
export interface SimConnector {
  connectorId: number
  status: string
  errorCode: string
  powerW: number
  currentA: number
  voltageV: number
  phases: number
  limit: number | null
  offer: number
  unit: 'A' | 'W'
  maxW: number | null
  ratingA: number
  temperatureC: number | null
  registerWh: number
  transactionId: number | null
  idTag: string | null
  socPercent: number | null
  batteryC: number | null
  vehicle: boolean
}

export interface SimStation {
  identity: string
  url: string
  online: boolean
  registration: string | null
  /** Whether its network cable is in. */
  network: boolean
  oddities: string[]
  waitingMessages: number
  connectors: SimConnector[]
}

export interface StationPage {
  items: SimStation[]
  total: number
  offset: number
}

/** A quirk or fault that can be switched on; `parameters`: name -> default. */
export interface Oddity {
  name: string
  family: string
  does: string
  who: string | null
  source: string | null
  parameters: Record<string, number>
}

export const PAGE_SIZE = 100
const STATIONS = ['simulator', 'stations'] as const

/** Follows a page of charge points, anew each second while it is looked at. */
export function useSimStations(search: string, offset: number, enabled: boolean) {
  return useQuery<StationPage, Problem>({
    queryKey: [...STATIONS, search, offset],
    queryFn: () =>
      sendJson<StationPage>(
        'GET',
        `/api/simulator/stations?${new URLSearchParams({ q: search, offset: String(offset) })}`,
      ),
    enabled,
    refetchInterval: 1000,
    staleTime: 0,
    placeholderData: keepPreviousData,
  })
}

export function useOddities() {
  return useQuery<Oddity[], Problem>({
    queryKey: ['simulator', 'oddities'],
    queryFn: async () => (await sendJson<{ items: Oddity[] }>('GET', '/api/simulator/oddities')).items,
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Where a request goes: a charge point, or one of its connectors. */
export interface Target {
  identity: string
  connectorId?: number
}

export function pathOf({ identity, connectorId }: Target, action: string): string {
  const station = `/api/simulator/stations/${encodeURIComponent(identity)}`
  return connectorId === undefined ? `${station}/${action}` : `${station}/connectors/${connectorId}/${action}`
}

export function act(target: Target, action: string, body: object = {}): Promise<SimStation> {
  return sendJson<SimStation>('POST', pathOf(target, action), body)
}

/** Does something to a charge point or connector; its answer is shown at once. */
export function useAct(target: Target) {
  const queries = useQueryClient()
  return useMutation<SimStation, Problem, { action: string; body?: object }>({
    mutationFn: ({ action, body }) => act(target, action, body),
    onSuccess: (station) => {
      queries.setQueriesData<StationPage>({ queryKey: STATIONS }, (page) => page && replaced(page, station))
    },
  })
}

/** Returns the page with one charge point as it is now. */
export function replaced(page: StationPage, station: SimStation): StationPage {
  return { ...page, items: page.items.map((each) => (each.identity === station.identity ? station : each)) }
}

/** Returns the limit in words: `16.0 A`, `11.0 kW`, `none`. */
export function limitOf(connector: Pick<SimConnector, 'limit' | 'unit'>): string {
  if (connector.limit === null) return 'none'
  return connector.unit === 'W'
    ? `${(connector.limit / 1000).toFixed(1)} kW`
    : `${connector.limit.toFixed(1)} A`
}

/** Returns what the connector offers to the car, W; null where its rating is not known. */
export function offerW(connector: Pick<SimConnector, 'offer' | 'unit' | 'maxW' | 'ratingA'>): number | null {
  if (connector.unit === 'W') return connector.offer
  if (!connector.maxW || !connector.ratingA) return null
  return (connector.offer * connector.maxW) / connector.ratingA
}

/** Returns the free connectors of charge points that would take a car now. */
export function freePlaces(stations: readonly SimStation[]): Required<Target>[] {
  return stations.flatMap((station) =>
    station.online && station.registration === 'Accepted'
      ? station.connectors
          .filter((each) => !each.vehicle && each.status === 'Available' && each.errorCode === 'NoError')
          .map((each) => ({ identity: station.identity, connectorId: each.connectorId }))
      : [],
  )
}

/** Returns an identity that is not taken: `SIM-000001`, and so on. */
export function nextIdentity(taken: readonly string[]): string {
  const known = new Set(taken)
  for (let number = known.size + 1; ; number++) {
    const name = `SIM-${String(number).padStart(6, '0')}`
    if (!known.has(name)) return name
  }
}

export const ERROR_CODES = [
  'ConnectorLockFailure',
  'EVCommunicationError',
  'GroundFailure',
  'HighTemperature',
  'InternalError',
  'LocalListConflict',
  'OtherError',
  'OverCurrentFailure',
  'OverVoltage',
  'PowerMeterFailure',
  'PowerSwitchFailure',
  'ReaderFailure',
  'ResetFailure',
  'UnderVoltage',
  'WeakSignal',
] as const
