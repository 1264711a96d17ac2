import { useQuery } from '@tanstack/react-query'
import type { Role } from '@/app/pages'
import { api, csrfToken, ok, tellSignedOut } from './client'
import { Problem } from './problem'

/** Who is signed in. */
export interface Me {
  name: string
  role: Role
  /** Of the server's program. */
  version: string
}

const ORDER: readonly Role[] = ['viewer', 'operator', 'admin']

/** Returns whether a role may do what `needed` may; drivers stand apart. */
export function includes(role: Role, needed: Role): boolean {
  if (role === 'driver' || needed === 'driver') return role === needed || role === 'admin'
  return ORDER.indexOf(role) >= ORDER.indexOf(needed)
}

/** Ends the session in this browser; the sign-in takes the place of what is shown. */
export async function signOut(): Promise<void> {
  await fetch('/sign-out', { method: 'POST', redirect: 'manual' })
  tellSignedOut()
}

export const ME = ['me'] as const

/** Asks who is signed in; 401 is an answer, not a failure to try again. */
export function useMeQuery() {
  return useQuery<Me, Problem>({
    queryKey: ME,
    queryFn: async () => {
      // the server sets this cookie beside the session's: without it nobody need be asked
      if (csrfToken() === '') throw new Problem(401, 'unauthenticated', 'You are not signed in.')
      return await ok(api.GET('/api/me'))
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: (count, problem) => problem.status !== 401 && count < 2,
  })
}

/** Returns who is signed in; only under the shell, where somebody is. */
export function useMe(): Me & { may: (role: Role) => boolean } {
  const { data } = useMeQuery()
  const me = data ?? { name: '', role: 'viewer' as Role, version: '' }
  return { ...me, may: (role) => includes(me.role, role) }
}
