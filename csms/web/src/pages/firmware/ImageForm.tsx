import {
  Autocomplete,
  Button,
  FileInput,
  Group,
  Modal,
  Progress,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useMemo, useRef, useState } from 'react'
import { sendJson } from '@/api/client'
import { asProblem, type Problem } from '@/api/problem'
import { useStations } from '@/live/hooks'
import { percent } from '@/parts/format'
import { tellDone } from '@/parts/notices'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { bytes } from '../station/bytes'
import { type Description, type Image, upload, useEndpoint } from './images'

interface ImageFormProps {
  /** One to be described otherwise; null: a new one. */
  image: Image | null
  close: () => void
  done: () => void
}

/** Brings an image, or changes what is said of one. */
export function ImageForm({ image, close, done }: ImageFormProps) {
  const stations = useStations()
  const endpoint = useEndpoint()
  const [file, setFile] = useState<File | null>(null)
  const [said, setSaid] = useState<Description>(() => ({
    name: image?.name ?? '',
    version: image?.version ?? '',
    vendor: image?.vendor ?? '',
    model: image?.model ?? '',
    signature: image?.signature ?? '',
    signingCertificate: image?.signingCertificate ?? '',
  }))
  const [share, setShare] = useState<number | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [missing, setMissing] = useState(false)
  const request = useRef<XMLHttpRequest | null>(null)
  const known = useMemo(() => {
    const of = (name: 'vendor' | 'model') =>
      [...new Set(stations.flatMap((each) => (each[name] ? [each[name] as string] : [])))].sort()
    return { vendor: of('vendor'), model: of('model') }
  }, [stations])
  const fields = problem?.fields ?? {}
  const most = endpoint.data?.largestBytes
  const tooLarge = file !== null && most !== undefined && file.size > most
  const set = (name: keyof Description) => (value: string) => {
    setSaid({ ...said, [name]: value })
    setProblem(null)
  }
  const text = (name: keyof Description) => ({
    value: said[name],
    error: fields[name],
    onChange: (event: { currentTarget: { value: string } }) => set(name)(event.currentTarget.value),
  })

  async function save() {
    setMissing(image === null && file === null)
    if (tooLarge || (image === null && file === null)) return
    setProblem(null)
    setShare(0)
    try {
      if (image === null && file !== null) {
        const made = await upload(file, said, setShare, (begun) => {
          request.current = begun
        })
        tellDone(`${made.name} is here.`)
      } else if (image !== null) {
        const path = `/api/firmware/${encodeURIComponent(image.id)}`
        const { name, ...rest } = said
        const cleared = Object.fromEntries(
          Object.entries(rest).map(([field, value]) => [field, value.trim() || null]),
        )
        await sendJson('PATCH', path, { ...(name.trim() ? { name: name.trim() } : {}), ...cleared })
      }
      done()
      close()
    } catch (error) {
      const found = asProblem(error)
      if (found.code !== 'aborted') setProblem(found)
    } finally {
      setShare(null)
      request.current = null
    }
  }

  const busy = share !== null
  return (
    <Modal
      opened
      onClose={() => {
        request.current?.abort()
        close()
      }}
      closeOnClickOutside={!busy}
      size="lg"
      title={image === null ? 'Bring an image' : `Change ${image.name}`}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <Stack gap="sm">
          {image === null && (
            <FileInput
              label="File"
              withAsterisk
              size="sm"
              placeholder="Choose the file that the vendor has given you"
              value={file}
              onChange={(chosen) => {
                setFile(chosen)
                setMissing(false)
              }}
              description={file === null ? (most ? `At most ${bytes(most)}` : undefined) : bytes(file.size)}
              error={
                tooLarge
                  ? `It is larger than the ${bytes(most)} that are taken (CSMS_FILES_MAX_MB)`
                  : missing
                    ? 'This is needed'
                    : undefined
              }
            />
          )}
          <TextInput
            label={image === null ? 'Name (empty: that of the file)' : 'Name'}
            description="Stations see it in the address; odd characters become _."
            {...text('name')}
          />
          <Group grow align="flex-start" gap="sm">
            <TextInput label="Version" description="As stations tell it." {...text('version')} />
            <Autocomplete
              label="Vendor"
              description="Empty: any."
              size="sm"
              value={said.vendor}
              onChange={set('vendor')}
              error={fields.vendor}
              data={known.vendor}
            />
            <Autocomplete
              label="Model"
              description="Empty: any."
              size="sm"
              value={said.model}
              onChange={set('model')}
              error={fields.model}
              data={known.model}
            />
          </Group>
          <details open={said.signature !== '' || said.signingCertificate !== ''}>
            <summary>Signature</summary>
            <Stack gap="sm" mt="xs">
              <Text size="sm" c="dimmed">
                With both, stations get it by SignedUpdateFirmware and check it before they install it.
              </Text>
              <Textarea
                label="Signature, Base64"
                autosize
                minRows={2}
                maxRows={4}
                spellCheck={false}
                {...text('signature')}
              />
              <Textarea
                label="Certificate of the signer, PEM"
                autosize
                minRows={3}
                maxRows={8}
                spellCheck={false}
                {...text('signingCertificate')}
              />
            </Stack>
          </details>
          {busy && image === null && (
            <div role="status">
              <Progress value={share * 100} aria-label="How much of it has been sent" />
              <Text size="sm" mt={4} className="num">
                {share < 1 ? `${percent(share * 100)} sent` : 'All is sent; it is being checked …'}
              </Text>
            </div>
          )}
          {problem && <ProblemNotice problem={problem} title="It was not kept" />}
          <Group justify="flex-end" gap="xs">
            <Button
              variant="default"
              onClick={() => {
                request.current?.abort()
                close()
              }}
            >
              {busy ? 'Give up' : 'Cancel'}
            </Button>
            <Button type="submit" loading={busy}>
              {image === null ? 'Bring it' : 'Save'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
