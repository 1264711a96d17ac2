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
import { asProblem } from '@/api/problem'
import { useStations } from '@/live/hooks'
import { FormEnd } from '@/parts/FormEnd'
import { percent } from '@/parts/format'
import { tellDone } from '@/parts/notices'
import { useSending } from '@/parts/sending'
import { bytes } from '../station/bytes'
import { type Description, type Image, upload, useEndpoint } from './images'

interface ImageFormProps {
  /** One to be described otherwise; null: a new one. */
  image: Image | null
  close: () => void
  done: () => void
}

const FIELDS = ['name', 'version', 'vendor', 'model', 'signature', 'signingCertificate'] as const

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
  const [share, setShare] = useState(0)
  const { errors, rest, busy, blame, forgive, send } = useSending([...FIELDS, 'file'])
  const request = useRef<XMLHttpRequest | null>(null)
  const known = useMemo(() => {
    const of = (name: 'vendor' | 'model') =>
      [...new Set(stations.flatMap((each) => (each[name] ? [each[name] as string] : [])))].sort()
    return { vendor: of('vendor'), model: of('model') }
  }, [stations])
  const most = endpoint.data?.largestBytes
  const tooLarge = file !== null && most !== undefined && file.size > most
  const set = (name: keyof Description) => (value: string) => {
    setSaid({ ...said, [name]: value })
    forgive(name)
  }
  const text = (name: keyof Description) => ({
    value: said[name],
    error: errors[name],
    onChange: (event: { currentTarget: { value: string } }) => set(name)(event.currentTarget.value),
  })

  async function keep() {
    if (image !== null)
      await sendJson('PATCH', `/api/firmware/${encodeURIComponent(image.id)}`, asChange(said))
    else if (file !== null) {
      const made = await upload(file, said, setShare, (begun) => {
        request.current = begun
      })
      tellDone(`${made.name} is here.`)
    }
    done()
    close()
  }

  function save() {
    if (image === null && file === null) return blame({ file: 'This is needed' })
    if (tooLarge) return
    setShare(0)
    void send(() =>
      keep().catch((error: unknown) => {
        if (asProblem(error).code !== 'aborted') throw error
      }),
    )
  }

  function leave() {
    request.current?.abort()
    close()
  }

  return (
    <Modal
      opened
      onClose={leave}
      closeOnClickOutside={!busy}
      size="lg"
      title={image === null ? 'Bring an image' : `Change ${image.name}`}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save()
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
                forgive('file')
              }}
              description={file === null ? (most ? `At most ${bytes(most)}` : undefined) : bytes(file.size)}
              error={
                tooLarge
                  ? `It is larger than the ${bytes(most)} that are taken (CSMS_FILES_MAX_MB)`
                  : errors.file
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
              error={errors.vendor}
              data={known.vendor}
            />
            <Autocomplete
              label="Model"
              description="Empty: any."
              size="sm"
              value={said.model}
              onChange={set('model')}
              error={errors.model}
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
          <FormEnd rest={rest && `It was not kept. ${rest}`}>
            <Button variant="default" onClick={leave}>
              {busy ? 'Give up' : 'Cancel'}
            </Button>
            <Button type="submit" loading={busy}>
              {image === null ? 'Bring it' : 'Save'}
            </Button>
          </FormEnd>
        </Stack>
      </form>
    </Modal>
  )
}

/** Returns the change to ask for: what is left empty is taken away, but never the name. */
function asChange({ name, ...others }: Description): Record<string, string | null> {
  const given = Object.entries(others).map(([field, value]) => [field, value.trim() || null])
  return { ...(name.trim() && { name: name.trim() }), ...Object.fromEntries(given) }
}
