import { send, sendJson } from '@/api/client'
import { asProblem, Problem } from '@/api/problem'
import { act, freePlaces, nextIdentity, type SimStation, type Target } from './simulator'

/** What is being done, for the button that waits for it. */
export type Step = 'Adding a station …' | 'Plugging a car in …' | 'Starting the session …'

export interface Charging extends Required<Target> {
  /** Null: the start is accepted, and the charge point has not started yet. */
  sessionId: string | null
}

const TRIES = 3

/**
 * Puts a car into a free place, or into a charge point made for it, and starts a session there.
 *
 * Throws a `Problem` when there is no place, or the central system or the simulator refuses.
 */
export async function chargeACar(
  stations: readonly SimStation[],
  makesStations: boolean,
  tell: (step: Step) => void,
): Promise<Charging> {
  const place = (await plugInto(freePlaces(stations), tell)) ?? (await made(stations, makesStations, tell))
  tell('Starting the session …')
  const answer = await send('/api/sessions/start', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ stationId: place.identity, connectorId: place.connectorId, waitS: 20 }),
  })
  const session = answer.status === 201 ? ((await answer.json()) as { id: string }) : null
  return { ...place, sessionId: session?.id ?? null }
}

/** Plugs a car into the first place that is still free; simulated drivers come and go, too. */
async function plugInto(
  places: readonly Required<Target>[],
  tell: (step: Step) => void,
): Promise<Required<Target> | null> {
  for (const place of places.slice(0, TRIES)) {
    tell('Plugging a car in …')
    try {
      await act(place, 'plug')
      return place
    } catch (error) {
      if (asProblem(error).status !== 409) throw error
    }
  }
  return null
}

async function made(
  stations: readonly SimStation[],
  makesStations: boolean,
  tell: (step: Step) => void,
): Promise<Required<Target>> {
  if (!makesStations) {
    throw new Problem(
      409,
      'no_place',
      'No connector is free now; unplug a car first, or wait until one leaves.',
    )
  }
  const identity = nextIdentity(stations.map((each) => each.identity))
  await addStation(identity, tell)
  return { identity, connectorId: 1 }
}

/** Makes a charge point of this identity: known to the central system, connected, a car plugged in. */
export async function addStation(identity: string, tell: (step: Step) => void): Promise<void> {
  tell('Adding a station …')
  try {
    await sendJson('POST', '/api/stations', {
      identity,
      name: `Simulated ${identity}`,
      maxKw: 22,
      quiet: false,
    })
  } catch (error) {
    // known from an earlier run: it comes back under its name
    if (asProblem(error).status !== 409) throw error
  }
  tell('Plugging a car in …')
  await sendJson('POST', '/api/simulator/plug', { chargePoint: identity })
}
