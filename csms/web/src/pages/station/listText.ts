/** A local list as text, a line an entry: quick to write, to paste and to look through. */

export interface Entry {
  idTag: string
  status: string
  expiresAt: string | null
  parentIdTag: string | null
}

const STATUSES = ['Accepted', 'Blocked', 'Expired', 'Invalid', 'ConcurrentTx']

export function textOf(entries: readonly Entry[]): string {
  return entries
    .map(({ idTag, status, expiresAt, parentIdTag }) =>
      [idTag, status, expiresAt ?? '', parentIdTag ?? ''].join(', ').replace(/(, )+$/, ''),
    )
    .join('\n')
}

/** Returns the entries of a text, or what is wrong in which line. */
export function entriesOf(text: string): { entries: Entry[]; wrong: string | null } {
  const entries: Entry[] = []
  const seen = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const [idTag = '', status = '', expires = '', parent = '', ...more] = line
      .split(',')
      .map((part) => part.trim())
    const at = `Line ${index + 1}: `
    if (more.length > 0) return { entries, wrong: `${at}at most four parts.` }
    if (idTag === '' || idTag.length > 20) return { entries, wrong: `${at}an id tag has 1 to 20 characters.` }
    if (seen.has(idTag.toLowerCase())) return { entries, wrong: `${at}${idTag} stands there twice.` }
    if (status !== '' && !STATUSES.includes(status))
      return { entries, wrong: `${at}the status is one of ${STATUSES.join(', ')}.` }
    const end = expires === '' ? null : new Date(expires)
    if (end !== null && Number.isNaN(end.getTime())) return { entries, wrong: `${at}${expires} is no time.` }
    if (parent.length > 20) return { entries, wrong: `${at}a parent id tag has at most 20 characters.` }
    seen.add(idTag.toLowerCase())
    entries.push({
      idTag,
      status: status || 'Accepted',
      expiresAt: end === null ? null : `${end.toISOString().slice(0, 19)}Z`,
      parentIdTag: parent || null,
    })
  }
  return { entries, wrong: null }
}
