import { notifications } from '@mantine/notifications'
import { asProblem } from '@/api/problem'
import { Icon } from './Icon'

const CLOSE = { 'aria-label': 'Close the notice' }

/** Says that something did not work, in the server's words. */
export function tellProblem(error: unknown, title = 'This did not work'): void {
  const problem = asProblem(error)
  const fields = Object.entries(problem.fields).map(([path, text]) => `${path}: ${text}`)
  notifications.show({
    title,
    message: [problem.message, ...fields].join(' '),
    color: 'red',
    icon: <Icon name="alert" size={16} />,
    closeButtonProps: CLOSE,
    autoClose: 10_000,
  })
}

/** Says that something is done; only what is really done. */
export function tellDone(message: string): void {
  notifications.show({
    message,
    color: 'teal',
    icon: <Icon name="check" size={16} />,
    closeButtonProps: CLOSE,
    autoClose: 4000,
  })
}
