/** One change of many id tags: piece by piece, and what has become of each. */

import type { components } from '@/api/schema'

export type Outcome = components['schemas']['IdTagOutcomeOut']
export type Change = components['schemas']['IdTagsBulkIn']['change']

export interface Tally {
  done: number
  changed: number
  unchanged: number
  refused: number
  /** Sessions that run with tags that are changed. */
  sessions: number
  /** Tags that name one of those as their parent. */
  members: number
  /** Those of which there is something to know. */
  notes: readonly Outcome[]
}

export const NOTHING_DONE: Tally = {
  done: 0,
  changed: 0,
  unchanged: 0,
  refused: 0,
  sessions: 0,
  members: 0,
  notes: [],
}

/** Returns the counts with some more outcomes. */
export function tallied(before: Tally, outcomes: readonly Outcome[], asked = outcomes.length): Tally {
  const next = { ...before, done: before.done + asked }
  for (const each of outcomes) {
    next[each.outcome] += 1
    if (each.outcome !== 'changed') continue
    next.sessions += each.sessions
    next.members += each.members
  }
  const notes = outcomes.filter((each) => each.detail !== null)
  if (notes.length > 0) next.notes = [...before.notes, ...notes]
  return next
}

interface Run {
  ids: readonly string[]
  /** How many go at a time. */
  size: number
  send: (ids: readonly string[]) => Promise<readonly Outcome[]>
  /** What was done before: it goes on from there. */
  from?: Tally
  /** Told after each piece; false: no more of them. */
  told: (tally: Tally) => boolean
}

/** Sends piece by piece; throws as `send` does, and what was told until then is done. */
export async function inPieces({ ids, size, send, from = NOTHING_DONE, told }: Run): Promise<void> {
  let tally = from
  while (tally.done < ids.length) {
    const piece = ids.slice(tally.done, tally.done + size)
    tally = tallied(tally, await send(piece), piece.length)
    if (!told(tally)) return
  }
}

interface Words {
  /** `Block 12 tags`. */
  button: string
  /** `will be blocked`. */
  will: string
  /** `blocked`. */
  done: string
  /** Of those that need no change. */
  already: string
  about: string
}

export const WORDS: Readonly<Record<Change, Words>> = {
  block: {
    button: 'Block',
    will: 'will be blocked',
    done: 'blocked',
    already: 'blocked already',
    about: 'Chargers that ask are told to refuse them. Sessions that run go on.',
  },
  accept: {
    button: 'Accept',
    will: 'will be accepted',
    done: 'accepted',
    already: 'accepted already',
    about: 'Chargers that ask are told to let them charge, as long as they have not expired.',
  },
  delete: {
    button: 'Delete',
    will: 'will be deleted',
    done: 'deleted',
    already: '',
    about: 'From then on they are unknown and refused. Their sessions stay; those that run go on.',
  },
}
