/** Why a session gets what it gets: the words of the decision, explained. */

/** Where the power is short, as the decision names it: `grid`, `circuit east`, `charger CP-1`. */
export interface Reason {
  /** In one line. */
  short: string
  /** A sentence or two: what it means, and what would change it. */
  explanation: string
  /** Whether the session has to wait, or cannot be steered. */
  tone: 'usual' | 'waiting' | 'uncontrolled'
}

const SHARE = /^(near the )?fair share of the (.+?) limit( on .+)?$/
const WAITING = /^waiting: .+? under the (.+?) limit( on .+?)? \(place (\d+) of (\d+)\)$/
const STAYS =
  'Its limit stays where it was as long as it is near enough: each change wears out the memory of a charger.'
const LIMIT = /^(.+?) limit( on .+)?$/

/**
 * Returns a reason of the server in an operator's words; one that is not known here stays as it is.
 *
 * `names` has the names of circuits by their ids.
 */
export function reasonOf(reason: string, names: ReadonlyMap<string, string> = new Map()): Reason {
  if (reason === 'vehicle maximum')
    return usual('The car takes no more', 'The car takes less than there is; nothing holds it back.')
  if (reason === 'charger limit')
    return usual(
      'The charger gives no more',
      'It has all that its charger can give; nothing else holds it back.',
    )
  if (reason.startsWith('not controllable'))
    return {
      short: 'Cannot be steered now',
      explanation:
        'Its charger is offline, takes no limits or does not follow them. It counts with the most that it may draw, so the others stay safe.',
      tone: 'uncontrolled',
    }
  if (reason.startsWith('the least that it can be told'))
    return usual(
      'The least that keeps it going',
      'This charger ends a session at 0 A, so it keeps its least current while others wait.',
    )
  const waiting = WAITING.exec(reason)
  if (waiting !== null) {
    const where = place(waiting[1] as string, names)
    return {
      short: `Waits, place ${waiting[3]} of ${waiting[4]}`,
      explanation: `Even the least useful power does not fit under ${where}${waiting[2] ?? ''} any more. Those who wait take turns.`,
      tone: 'waiting',
    }
  }
  const share = SHARE.exec(reason)
  if (share !== null) {
    const where = place(share[2] as string, names)
    const phases = share[3] ?? ''
    const why = `Several cars want more than ${where}${phases} leaves, so each gets an equal part.`
    return share[1] === undefined
      ? usual(`Fair share of ${where}${phases}`, `${why} Who takes less leaves the rest to the others.`)
      : usual(`Near the fair share of ${where}${phases}`, `${why} ${STAYS}`)
  }
  if (reason === 'near its fair share') return usual('Near its fair share', STAYS)
  const limit = LIMIT.exec(reason)
  if (limit !== null) {
    const where = place(limit[1] as string, names)
    return usual(
      `All that ${where}${limit[2] ?? ''} leaves`,
      `It is alone under ${where}${limit[2] ?? ''} and has all of it. A higher limit there gives it more.`,
    )
  }
  return usual(reason.charAt(0).toUpperCase() + reason.slice(1), '')
}

function usual(short: string, explanation: string): Reason {
  return { short, explanation, tone: 'usual' }
}

function place(node: string, names: ReadonlyMap<string, string>): string {
  if (node === 'grid') return 'the grid connection'
  if (node.startsWith('circuit ')) {
    const id = node.slice('circuit '.length)
    return `the circuit ${names.get(id) ?? id}`
  }
  if (node.startsWith('charger ')) return `the charger ${node.slice('charger '.length)}`
  return `the ${node}`
}
