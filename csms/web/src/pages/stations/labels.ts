/** Names on a map: short, and never over each other. */

export interface Label {
  key: string
  /** Middle of the mark that it belongs to, px. */
  x: number
  y: number
  text: string
}

const CHARACTER_PX = 6.4
const LINE_PX = 14

/** Returns names without what they all begin with, up to a blank or dash: `Bay 1`, `Bay 2` -> `1`, `2`. */
export function shortened(names: readonly string[]): string[] {
  if (names.length < 2) return [...names]
  const [first = ''] = names
  let length = 0
  while (length < first.length && names.every((name) => name[length] === first[length])) length += 1
  const cut = Math.max(...[' ', '-', '_', '/'].map((sign) => first.slice(0, length).lastIndexOf(sign) + 1))
  const short = names.map((name) => name.slice(cut))
  return short.every((name) => name !== '') ? short : [...names]
}

/** Returns the labels that have room below their marks, `drop` px under the middle; the first come first. */
export function withRoom(labels: readonly Label[], drop: number): Label[] {
  const boxes: { left: number; right: number; y: number }[] = []
  return labels.filter(({ x, y, text }) => {
    const half = (text.length * CHARACTER_PX) / 2 + 3
    const box = { left: x - half, right: x + half, y: y + drop }
    const taken = boxes.some(
      (other) => box.left < other.right && other.left < box.right && Math.abs(box.y - other.y) < LINE_PX,
    )
    if (!taken) boxes.push(box)
    return !taken
  })
}

const LONGEST = 28

/** Returns a name that does not run over half a phone. */
export function brief(name: string): string {
  return name.length <= LONGEST ? name : `${name.slice(0, LONGEST - 1).trimEnd()}…`
}
