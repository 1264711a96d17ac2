import { useQuery } from '@tanstack/react-query'
import { api, ok } from '@/api/client'
import type { components } from '@/api/schema'
import type { Schema } from './schema'

export type Action = components['schemas']['ActionOut']
export type Outcome = components['schemas']['CallResult']

/** Returns the 26 calls in plain words; they do not change while a server runs. */
export function useActions() {
  return useQuery({
    queryKey: ['calls'],
    queryFn: async () => (await ok(api.GET('/api/calls'))).items,
    staleTime: Number.POSITIVE_INFINITY,
  })
}

export function useSchema(action: string | null) {
  return useQuery({
    queryKey: ['calls', action],
    enabled: action !== null,
    queryFn: async () =>
      (await ok(
        api.GET('/api/calls/{action}/schema', { params: { path: { action: action ?? '' } } }),
      )) as Schema,
    staleTime: Number.POSITIVE_INFINITY,
  })
}

const PROFILES: Readonly<Record<string, string>> = {
  Core: 'Every day',
  SmartCharging: 'Charging profiles',
  RemoteTrigger: 'Messages',
  Reservation: 'Reservations',
  LocalAuthListManagement: 'Local list',
  FirmwareManagement: 'Firmware and diagnostics',
  Security: 'Security',
}

/** Returns the actions that pass a filter, by what they are about. */
export function byProfile(actions: readonly Action[], text = ''): [string, Action[]][] {
  const wanted = text.trim().toLowerCase()
  return Object.entries(PROFILES)
    .map(([profile, title]): [string, Action[]] => [
      title,
      actions.filter(
        (each) =>
          each.profile === profile &&
          `${each.action} ${each.title} ${each.about}`.toLowerCase().includes(wanted),
      ),
    ])
    .filter(([, found]) => found.length > 0)
}
