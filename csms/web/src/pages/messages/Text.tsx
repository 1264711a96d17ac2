import { Button, CopyButton, Group } from '@mantine/core'
import classes from './messages.module.css'

/** A text as it is, to be read, scrolled and copied. */
export function Text({ label, text }: { label: string; text: string }) {
  return (
    <>
      <Group justify="space-between" gap="xs">
        <b>{label}</b>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="subtle" onClick={copy} aria-label={`Copy: ${label}`}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <pre className={classes.raw} tabIndex={0}>
        {text}
      </pre>
    </>
  )
}
