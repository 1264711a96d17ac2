import { Button, type ButtonProps, Group, Modal, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { type ReactNode, useState } from 'react'
import { asProblem, type Problem } from '@/api/problem'
import { ProblemNotice } from './ProblemNotice'

interface ConfirmActionProps extends ButtonProps {
  /** Text of the button. */
  children: ReactNode
  /** The question, such as `Delete the station CP-7?`. */
  title: string
  /** What it does, and what cannot be undone. */
  text: ReactNode
  /** Text of the button that does it; a verb. */
  confirm: string
  /** Does it; throws a `Problem`, which is shown, and the question stays. */
  act: () => Promise<unknown>
  /** Called when it is done. */
  onDone?: () => void
}

/** A button for what is hard to undo: asks first. */
export function ConfirmAction({
  children,
  title,
  text,
  confirm,
  act,
  onDone,
  ...button
}: ConfirmActionProps) {
  const [opened, { open, close }] = useDisclosure(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)

  async function go() {
    setBusy(true)
    setProblem(null)
    try {
      await act()
      close()
      onDone?.()
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <Button
        variant="default"
        {...button}
        onClick={() => {
          setProblem(null)
          open()
        }}
      >
        {children}
      </Button>
      <Modal opened={opened} onClose={close} title={title}>
        <Stack gap="md">
          <Text component="div">{text}</Text>
          {problem && <ProblemNotice problem={problem} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close} data-autofocus>
              Cancel
            </Button>
            <Button color="red.9" loading={busy} onClick={go}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
