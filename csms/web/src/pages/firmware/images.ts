import { useQuery } from '@tanstack/react-query'
import { api, csrfToken, ok, tellSignedOut } from '@/api/client'
import { Problem, problemOf } from '@/api/problem'
import type { components } from '@/api/schema'
import type { LiveStation } from '@/live/types'

export type Image = components['schemas']['FirmwareOut']
export type Endpoint = components['schemas']['FileEndpointOut']

/** What an operator says of an image. */
export interface Description {
  name: string
  version: string
  vendor: string
  model: string
  signature: string
  signingCertificate: string
}

const IMAGES = '/api/firmware'

/** Returns all images, the newest first. */
export function useImages() {
  return useQuery<readonly Image[], Problem>({
    queryKey: ['firmware', 'choice'],
    queryFn: async () => (await ok(api.GET(IMAGES, { params: { query: { limit: 1000 } } }))).items,
    refetchInterval: 30_000,
  })
}

/** Returns by which protocols stations reach files of ours; none: it is off. */
export function useEndpoint() {
  return useQuery<Endpoint, Problem>({
    queryKey: ['files', 'endpoint'],
    queryFn: () => ok(api.GET('/api/file-endpoint')),
    staleTime: 60_000,
  })
}

/** Returns whether an image is for a station, by the vendor and model that the station has told. */
export function fits(
  image: Pick<Image, 'vendor' | 'model'>,
  station: Pick<LiveStation, 'vendor' | 'model'>,
): boolean {
  return (
    (image.vendor === null || image.vendor === station.vendor) &&
    (image.model === null || image.model === station.model)
  )
}

/** Returns whom an image is for, in words. */
export function forWhom({ vendor, model }: Pick<Image, 'vendor' | 'model'>): string {
  return [vendor, model].filter(Boolean).join(' ') || 'any station'
}

/** Returns the call that installs an image: signed ones by the call that has them checked. */
export function installing(
  image: Pick<Image, 'id' | 'signatureValid'>,
  from: Date | null,
): { action: string; payload: Record<string, unknown> } {
  const at = from?.toISOString()
  if (image.signatureValid === true)
    return {
      action: 'SignedUpdateFirmware',
      payload: { firmwareId: image.id, ...(at ? { firmware: { retrieveDateTime: at } } : {}) },
    }
  return {
    action: 'UpdateFirmware',
    payload: { firmwareId: image.id, ...(at ? { retrieveDate: at } : {}) },
  }
}

/** Brings an image; `progress` is told how much of it has left, 0 to 1. Throws a `Problem`. */
export function upload(
  file: File,
  description: Description,
  progress: (share: number) => void,
  begun: (request: XMLHttpRequest) => void,
): Promise<Image> {
  const given = Object.entries(description)
    .map(([name, value]) => [name, value.trim()] as const)
    .filter(([, value]) => value !== '')
  // of a form, because a certificate does not fit into an address
  const form = new FormData()
  for (const [name, value] of given) form.append(name, value)
  form.append('file', file, file.name)
  const request = new XMLHttpRequest()
  return new Promise((resolve, reject) => {
    request.open('POST', IMAGES)
    request.setRequestHeader('X-CSRF-Token', csrfToken())
    request.responseType = 'text'
    request.upload.onprogress = ({ loaded, total }) => progress(total === 0 ? 0 : loaded / total)
    request.onload = () => {
      const body = parsed(request.responseText)
      if (request.status === 401) tellSignedOut()
      if (request.status < 300) resolve(body as Image)
      else reject(problemOf(request.status, body))
    }
    request.onerror = () => reject(new Problem(0, 'cut', 'The connection was cut: nothing was kept.'))
    request.onabort = () => reject(new Problem(0, 'aborted', 'Given up: nothing was kept.'))
    begun(request)
    request.send(form)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
