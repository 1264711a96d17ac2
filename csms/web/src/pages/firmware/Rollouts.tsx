import { Listing, useListing } from '@/parts/Listing'
import { PageLink } from '@/parts/PageLink'
import { Section } from '@/parts/Section'
import type { BulkJob } from '../stationbulk/jobs'
import { JOB_COLUMNS } from '../stationbulk/page'
import type { Image } from './images'

/** Updates that went to many stations. */
export function Rollouts({ images }: { images: readonly Image[] }) {
  const list = useListing<BulkJob>('/api/bulk', 5)
  const items = list.items?.filter(({ action }) => action.endsWith('UpdateFirmware'))
  if (items?.length === 0 && !list.hasNextPage) return null
  const name = ({ payload }: BulkJob) => {
    const image = images.find(({ id }) => id === payload.firmwareId)
    return image === undefined
      ? 'an image that is gone'
      : [image.name, image.version].filter(Boolean).join(' ')
  }
  return (
    <Section title="Updates so far">
      <Listing
        label="Updates so far"
        list={{ ...list, items } as typeof list}
        rowKey={(row) => row.id}
        empty="None among the last calls."
        columns={[
          {
            header: 'Image',
            cell: (row) => (
              <PageLink to="/bulk/$jobId" params={{ jobId: row.id }} className="row-link">
                {name(row)}
              </PageLink>
            ),
          },
          ...JOB_COLUMNS,
        ]}
      />
    </Section>
  )
}
