import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { sendJson } from '@/api/client'
import { formErrors } from '@/api/problem'
import { Icon } from '@/parts/Icon'
import { usePending } from '@/parts/pending'
import { TagInput } from '@/parts/TagInput'
import type { Connector, Station } from './data'

interface StartButtonProps {
  station: Station
  connector: Connector
  /** Told when its dialog opens and closes. */
  onAsking: (asking: boolean) => void
}

/** Starts a session, with an id tag or without; pending until the station has started it. */
export function StartButton({ station, connector, onAsking }: StartButtonProps) {
  const [opened, { open, close }] = useDisclosure(false, {
    onOpen: () => onAsking(true),
    onClose: () => onAsking(false),
  })
  // a session that has begun meanwhile takes the button away, and its dialog
  useEffect(() => () => onAsking(false), [onAsking])
  const [idTag, setIdTag] = useState('')
  const { phase, problem, run } = usePending({ done: connector.sessionId !== null })
  const errors = problem && formErrors(problem, ['idTag'])
  const { connectorId } = connector

  async function start() {
    await run(async () => {
      await sendJson('POST', '/api/sessions/start', {
        stationId: station.id,
        connectorId,
        ...(idTag.trim() === '' ? {} : { idTag: idTag.trim() }),
        waitS: 0,
      })
      close()
    })
  }

  const waiting = phase === 'waiting'
  return (
    <>
      <Button
        leftSection={<Icon name="play" size={13} />}
        aria-busy={waiting}
        data-disabled={waiting || undefined}
        {...(phase === 'unconfirmed' ? { color: 'yellow', variant: 'outline' } : {})}
        onClick={() => {
          if (!waiting) open()
        }}
      >
        <span aria-live="polite">
          {waiting ? 'Starting …' : phase === 'unconfirmed' ? 'Not started – again?' : 'Start'}
        </span>
      </Button>
      <Modal opened={opened} onClose={close} title={`Start at ${station.name}, connector ${connectorId}`}>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void start()
          }}
        >
          <Stack gap="sm">
            <TagInput
              label="Id tag"
              description="Whose session it is. Without one, a tag made for you is used."
              data-autofocus
              value={idTag}
              onChange={setIdTag}
              error={errors?.fields.idTag}
            />
            {connector.status !== 'Preparing' && (
              <Text size="sm" c="dimmed">
                No cable is plugged in as far as the station says; most stations then wait for one.
              </Text>
            )}
            {errors?.rest && (
              <Text size="sm" c="var(--csms-bad)" role="alert">
                {errors.rest}
              </Text>
            )}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={phase === 'sending'}>
                Start
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  )
}
