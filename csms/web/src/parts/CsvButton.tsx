import { Button } from '@mantine/core'
import { useState } from 'react'
import { everyCsv, saveFile } from './everyPage'
import { Icon } from './Icon'
import { tellProblem } from './notices'

interface CsvButtonProps {
  /** A list of the API with its filters: `/api/id-tags`. */
  path: string
  /** `id-tags.csv`. */
  name: string
  children?: string
}

/** Saves all of a list as CSV, however many pages it has. */
export function CsvButton({ path, name, children = 'CSV' }: CsvButtonProps) {
  const [busy, setBusy] = useState(false)

  async function go() {
    setBusy(true)
    try {
      saveFile(name, await everyCsv(path))
    } catch (error) {
      tellProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Button
      variant="default"
      loading={busy}
      leftSection={<Icon name="download" size={14} />}
      onClick={() => void go()}
    >
      {children}
    </Button>
  )
}
