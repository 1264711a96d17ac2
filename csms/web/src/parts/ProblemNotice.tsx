import { Alert, Button, Group, Text } from '@mantine/core'
import { asProblem } from '@/api/problem'
import { Icon } from './Icon'

interface ProblemNoticeProps {
  /** What was thrown; a `Problem` or anything else. */
  problem: unknown
  title?: string
  retry?: () => void
}

/** What went wrong, in the server's words, with a way to try again. */
export function ProblemNotice({ problem, title = 'This did not work', retry }: ProblemNoticeProps) {
  const { message, fields } = asProblem(problem)
  return (
    <Alert color="red" variant="light" icon={<Icon name="alert" />} title={title} role="alert" maw={640}>
      <Text size="sm">{message}</Text>
      {Object.entries(fields).map(([path, text]) => (
        <Text size="sm" key={path}>
          <b>{path}</b>: {text}
        </Text>
      ))}
      {retry && (
        <Group mt="sm">
          <Button variant="default" onClick={retry} leftSection={<Icon name="refresh" size={14} />}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  )
}
