import { Alert, Button, Checkbox, Code, FileButton, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { send } from '@/api/client'
import { asProblem, type Problem } from '@/api/problem'
import type { components } from '@/api/schema'
import classes from './CsvImport.module.css'
import { Icon } from './Icon'
import { ProblemNotice } from './ProblemNotice'
import { StatusBadge } from './StatusBadge'
import tables from './tables.module.css'

export type Imported = components['schemas']['ImportOut']

interface CsvImportProps {
  /** `Import stations from CSV`. */
  title: string
  /** `/api/stations/import`. */
  path: string
  /** Which columns there are, in words. */
  about: ReactNode
  /** A file of two or three lines, as it may look. */
  example: string
  close: () => void
  /** Told after rows were really taken. */
  done?: (result: Imported) => void
}

const MOST_SHOWN = 300

const OUTCOMES = {
  created: { status: 'Accepted', trial: 'Will be added', real: 'Added' },
  changed: { status: 'active', trial: 'Will be changed', real: 'Changed' },
  refused: { status: 'Rejected', trial: 'Cannot be taken', real: 'Refused' },
} as const

/** Rows from a CSV file: tried first, then taken, with a result for each row. */
export function CsvImport({ title, path, about, example, close, done }: CsvImportProps) {
  const [text, setText] = useState('')
  const [update, setUpdate] = useState(false)
  const [busy, setBusy] = useState<'try' | 'take' | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [result, setResult] = useState<Imported | null>(null)

  async function ask(dryRun: boolean) {
    setBusy(dryRun ? 'try' : 'take')
    setProblem(null)
    try {
      const answer = await send(`${path}?dryRun=${dryRun}&update=${update}`, {
        method: 'POST',
        headers: { 'Content-Type': 'text/csv' },
        body: text,
      })
      const found = (await answer.json()) as Imported
      setResult(found)
      if (!dryRun) done?.(found)
    } catch (error) {
      setProblem(asProblem(error))
      setResult(null)
    } finally {
      setBusy(null)
    }
  }

  function changed(next: string) {
    setText(next)
    setResult(null)
    setProblem(null)
  }

  const good = (result?.created ?? 0) + (result?.changed ?? 0)
  return (
    <Modal opened onClose={close} title={title} size="xl">
      <Stack gap="sm">
        <Text size="sm" component="div">
          {about}
        </Text>
        <Group gap="xs">
          <FileButton
            accept=".csv,.txt,text/csv,text/plain"
            onChange={(file) => {
              if (file) void file.text().then(changed)
            }}
          >
            {(props) => (
              <Button variant="default" leftSection={<Icon name="upload" size={13} />} {...props}>
                Choose a file
              </Button>
            )}
          </FileButton>
          <Checkbox
            label="Change what is there already"
            checked={update}
            onChange={(event) => {
              setUpdate(event.currentTarget.checked)
              setResult(null)
            }}
          />
        </Group>
        <Textarea
          label="Or paste it here"
          autosize
          minRows={5}
          maxRows={12}
          spellCheck={false}
          wrap="off"
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={text}
          onChange={(event) => changed(event.currentTarget.value)}
        />
        {text === '' && (
          <div>
            <Text size="sm" c="dimmed">
              For example:
            </Text>
            <Code block>{example}</Code>
          </div>
        )}
        {problem && <ProblemNotice problem={problem} title="This file cannot be read" />}
        {result && <Results result={result} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            {result?.dryRun === false ? 'Close' : 'Cancel'}
          </Button>
          {result?.dryRun === true && good > 0 ? (
            <Button loading={busy === 'take'} onClick={() => void ask(false)}>
              Import {good} {good === 1 ? 'row' : 'rows'}
            </Button>
          ) : (
            <Button
              loading={busy === 'try'}
              disabled={text.trim() === '' || result?.dryRun === false}
              onClick={() => void ask(true)}
            >
              Look what would come of it
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  )
}

function Results({ result }: { result: Imported }) {
  const kind = result.dryRun ? 'trial' : 'real'
  const counts = (['created', 'changed', 'refused'] as const).filter((each) => result[each] > 0)
  // what cannot be taken comes first: that is what needs somebody
  const rows = [...result.rows].sort(
    (a, b) => Number(b.outcome === 'refused') - Number(a.outcome === 'refused'),
  )
  return (
    <div role="status">
      <Alert
        color={result.refused > 0 ? 'yellow' : 'teal'}
        variant="light"
        title={result.dryRun ? 'Nothing has been kept yet' : 'Done'}
      >
        {counts.map((each) => `${OUTCOMES[each][kind]}: ${result[each]}`).join(' · ') ||
          'There is no row in it.'}
      </Alert>
      {rows.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        <section className={classes.rows} tabIndex={0} aria-label="Rows">
          <table className={`${tables.table} ${classes.table}`}>
            <thead>
              <tr>
                <th scope="col">Line</th>
                <th scope="col">What</th>
                <th scope="col">Outcome</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, MOST_SHOWN).map((row) => {
                const look = OUTCOMES[row.outcome as keyof typeof OUTCOMES]
                return (
                  <tr key={row.line}>
                    <td className="num">{row.line}</td>
                    <td>{row.id ?? '–'}</td>
                    <td>
                      <StatusBadge status={look.status} text={look[kind]} />
                    </td>
                    <td>
                      {Object.entries(row.errors)
                        .map(([field, text]) => `${field} ${text}`)
                        .join('; ')}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
          {rows.length > MOST_SHOWN && <p className="dimmed">and {rows.length - MOST_SHOWN} rows more</p>}
        </section>
      )}
    </div>
  )
}
