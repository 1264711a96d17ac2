import { Button, Code } from '@mantine/core'
import { useState } from 'react'
import { pretty } from './pretty'

/** A button that shows a message just as it came, below what it stands beside. */
export function AsItCame({ action, raw }: { action: string; raw: string }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button
        variant="subtle"
        size="compact-xs"
        aria-expanded={open}
        aria-label={`${open ? 'Hide' : 'Show'} the ${action} as it came`}
        onClick={() => setOpen(!open)}
      >
        {open ? 'Hide' : 'Show'}
      </Button>
      {open && (
        <Code block mt={4} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {pretty(raw)}
        </Code>
      )}
    </>
  )
}
