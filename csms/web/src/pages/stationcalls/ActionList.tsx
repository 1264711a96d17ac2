import { Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Icon } from '@/parts/Icon'
import classes from './calls.module.css'
import { type Action, byProfile } from './catalogue'

interface ActionListProps {
  actions: readonly Action[]
  chosen: string | null
  choose: (action: string) => void
}

/** The calls to choose from: a list with a filter, on a phone a field. */
export function ActionList({ actions, chosen, choose }: ActionListProps) {
  const [text, setText] = useState('')
  const groups = byProfile(actions, text)
  return (
    <>
      <Select
        className={classes.narrow}
        label="Call"
        placeholder="Choose a call"
        searchable
        value={chosen}
        onChange={(action) => action && choose(action)}
        data={byProfile(actions).map(([group, found]) => ({
          group,
          items: found.map(({ action, title }) => ({ value: action, label: `${title} (${action})` })),
        }))}
      />
      <nav className={`card ${classes.actions}`} aria-label="Calls">
        <TextInput
          data-filter
          size="xs"
          aria-label="Find a call"
          placeholder="Find a call"
          leftSection={<Icon name="search" size={13} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {groups.map(([title, found]) => (
          <section key={title} aria-label={title}>
            <h3>{title}</h3>
            <ul>
              {found.map((each) => (
                <li key={each.action}>
                  <button
                    type="button"
                    className={classes.action}
                    aria-current={each.action === chosen}
                    title={each.about}
                    onClick={() => choose(each.action)}
                  >
                    {each.title} <span className={classes.code}>{each.action}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
        {groups.length === 0 && <p className="dimmed">No call is like “{text}”.</p>}
      </nav>
    </>
  )
}
