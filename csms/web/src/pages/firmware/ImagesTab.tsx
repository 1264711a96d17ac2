import { Anchor, Button, Group } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { EmptyState } from '@/parts/EmptyState'
import { Icon } from '@/parts/Icon'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import { bytes } from '../station/bytes'
import { ImageForm } from './ImageForm'
import { forWhom, type Image } from './images'

/** The images that there are; bringing, describing and deleting them. */
export function ImagesTab() {
  const { may } = useMe()
  const operator = may('operator')
  const queries = useQueryClient()
  const list = useListing<Image>('/api/firmware', 30)
  const [form, setForm] = useState<Image | 'new' | null>(null)
  const again = () => void queries.invalidateQueries({ queryKey: ['firmware'] })
  return (
    <Section
      title="Images"
      about="What stations can install. One that names vendor and model is offered to those stations only."
      actions={
        operator && (
          <Button leftSection={<Icon name="upload" size={13} />} onClick={() => setForm('new')}>
            Bring an image
          </Button>
        )
      }
    >
      {list.items?.length === 0 ? (
        <EmptyState icon="upload" title="No image yet">
          {operator
            ? 'Bring the file that the vendor has given you; then choose which stations install it.'
            : 'Operators bring them.'}
        </EmptyState>
      ) : (
        <Listing
          label="Images"
          list={list}
          rowKey={(row) => row.id}
          empty=""
          columns={[
            {
              header: 'Image',
              cell: (row) => (
                <>
                  {operator ? (
                    <Anchor href={row.url} size="sm" fw={600}>
                      {row.name}
                    </Anchor>
                  ) : (
                    <b>{row.name}</b>
                  )}
                  <div className="dimmed num" title={`SHA-256 ${row.sha256}`}>
                    {row.sha256.slice(0, 12)}…
                  </div>
                </>
              ),
            },
            { header: 'Version', cell: (row) => row.version ?? <span className="dimmed">not said</span> },
            { header: 'For', cell: (row) => forWhom(row) },
            { header: 'Signature', fixed: true, extra: true, cell: (row) => <Signature image={row} /> },
            { header: 'Size', align: 'right', extra: true, cell: (row) => bytes(row.sizeBytes) },
            {
              header: 'Brought',
              align: 'right',
              extra: true,
              cell: (row) => (
                <>
                  <Ago at={row.createdAt} />
                  <div className="dimmed">by {row.createdBy}</div>
                </>
              ),
            },
            {
              header: '',
              align: 'right',
              cell: (row) =>
                operator && (
                  <Group gap={6} justify="flex-end">
                    <Button
                      size="compact-xs"
                      variant="default"
                      component={Link}
                      to="/firmware"
                      search={{ tab: 'update', image: row.id } as never}
                      aria-label={`Install … ${row.name}`}
                    >
                      Install …
                    </Button>
                    <Button
                      size="compact-xs"
                      variant="default"
                      aria-label={`Change ${row.name}`}
                      onClick={() => setForm(row)}
                    >
                      Change
                    </Button>
                    <ConfirmAction
                      size="compact-xs"
                      aria-label={`Delete ${row.name}`}
                      title={`Delete ${row.name}?`}
                      text="Stations that were told to fetch it and have not yet cannot any more. What is installed stays installed."
                      confirm="Delete"
                      act={() => sendJson('DELETE', `/api/firmware/${encodeURIComponent(row.id)}`)}
                      onDone={() => {
                        tellDone(`${row.name} is deleted.`)
                        again()
                      }}
                    >
                      Delete
                    </ConfirmAction>
                  </Group>
                ),
            },
          ]}
        />
      )}
      {form !== null && (
        <ImageForm image={form === 'new' ? null : form} close={() => setForm(null)} done={again} />
      )}
    </Section>
  )
}

function Signature({ image: { signatureValid, signature } }: { image: Image }) {
  if (signatureValid === true) return <StatusBadge status="Accepted" text="Holds" />
  if (signatureValid === false)
    return (
      <StatusBadge
        status="Rejected"
        text="Does not hold"
        title="It is none of this image by this certificate: stations that check it refuse it"
      />
    )
  if (signature !== null)
    return <StatusBadge status="Pending" text="Not checked" title="There is no certificate to check it by" />
  return <StatusBadge status={null} tone="idle" text="Not signed" />
}
