import { Group, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'

interface PageHeaderProps {
  title: string
  /** Beside the title, such as a status. */
  beside?: ReactNode
  subtitle?: ReactNode
  /** Buttons on the right. */
  actions?: ReactNode
}

/** The head of a page: its one h1, which names the browser's tab too. */
export function PageHeader({ title, beside, subtitle, actions }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} · csms`
  }, [title])
  return (
    <Group justify="space-between" align="flex-start" mb="md" gap="sm">
      <div style={{ minWidth: 0 }}>
        <Group gap="sm">
          <Title
            order={1}
            tabIndex={-1}
            id="page-title"
            style={{ outline: 'none', overflowWrap: 'anywhere' }}
          >
            {title}
          </Title>
          {beside}
        </Group>
        {subtitle && (
          <Text c="dimmed" size="sm" component="div">
            {subtitle}
          </Text>
        )}
      </div>
      {actions && <Group gap="xs">{actions}</Group>}
    </Group>
  )
}
