import { Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'

interface FormEndProps {
  /** What is wrong with the form as a whole. */
  rest: string | null | undefined
  /** Its buttons, the one that sends last. */
  children: ReactNode
}

/** The end of a form: what is wrong with all of it, and its buttons. */
export function FormEnd({ rest, children }: FormEndProps) {
  return (
    <>
      {rest && (
        <Text size="sm" c="var(--csms-bad)" role="alert" mt="sm">
          {rest}
        </Text>
      )}
      <Group justify="flex-end" gap="xs" mt="md">
        {children}
      </Group>
    </>
  )
}
