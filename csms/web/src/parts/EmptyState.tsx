import { Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'

interface EmptyStateProps {
  icon?: IconName
  title: string
  /** Why there is nothing, and what comes next. */
  children?: ReactNode
  /** The button of the next step. */
  action?: ReactNode
}

/** Nothing to show: why, and the next step. */
export function EmptyState({ icon = 'info', title, children, action }: EmptyStateProps) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" ta="center">
      <Icon name={icon} size={32} color="var(--mantine-color-dimmed)" />
      <Title order={2}>{title}</Title>
      {children && (
        <Text c="dimmed" maw={460}>
          {children}
        </Text>
      )}
      {action}
    </Stack>
  )
}
