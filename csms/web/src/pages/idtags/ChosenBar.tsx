import { Button, Group, Text } from '@mantine/core'
import { useState } from 'react'
import type { Chosen } from '@/parts/choosing'
import { everyPage } from '@/parts/everyPage'
import { count } from '@/parts/format'
import { tellProblem } from '@/parts/notices'
import type { Change } from './bulk'
import type { IdTag } from './tags'

const MOST_PAGES = 1000

interface ChosenBarProps {
  chosen: Chosen
  /** The list with its filter, where there is more of it than is shown. */
  more: string | null
  act: (change: Change) => void
}

/** What can be done with the tags that are chosen. */
export function ChosenBar({ chosen, more, act }: ChosenBarProps) {
  const [busy, setBusy] = useState(false)

  async function chooseAll(path: string) {
    setBusy(true)
    try {
      chosen.set((await everyPage<IdTag>(path, MOST_PAGES)).items.map(({ idTag }) => idTag))
    } catch (error) {
      tellProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <Group
      gap="xs"
      mb="sm"
      px="sm"
      py={6}
      className="card"
      role="group"
      aria-label="What is done with the chosen tags"
    >
      <Text size="sm" fw={600} className="num" role="status">
        {count(chosen.ids.size)} chosen
      </Text>
      <Button variant="default" onClick={() => act('accept')}>
        Accept …
      </Button>
      <Button variant="default" onClick={() => act('block')}>
        Block …
      </Button>
      <Button variant="default" c="var(--csms-bad)" onClick={() => act('delete')}>
        Delete …
      </Button>
      {more !== null && (
        <Button variant="subtle" loading={busy} onClick={() => void chooseAll(more)}>
          Choose all that match
        </Button>
      )}
      <Button variant="subtle" ml="auto" onClick={chosen.clear}>
        Choose none
      </Button>
    </Group>
  )
}
