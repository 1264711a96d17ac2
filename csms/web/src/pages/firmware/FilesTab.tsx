import { Anchor, Group } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { sendJson } from '@/api/client'
import { useMe } from '@/api/me'
import type { components } from '@/api/schema'
import { Ago } from '@/parts/Ago'
import { ConfirmAction } from '@/parts/ConfirmAction'
import { EmptyState } from '@/parts/EmptyState'
import { Listing, useListing } from '@/parts/Listing'
import { tellDone } from '@/parts/notices'
import { Section } from '@/parts/Section'
import { StationSelect } from '@/parts/StationSelect'
import { StatusBadge } from '@/parts/StatusBadge'
import { stationColumn } from '@/parts/stationColumn'
import { bytes } from '../station/bytes'

type StationFile = components['schemas']['StationFileOut']

/** Diagnostics and logs that stations have sent. */
export function FilesTab() {
  const { may } = useMe()
  const operator = may('operator')
  const navigate = useNavigate()
  const { stationId } = useSearch({ strict: false }) as { stationId?: string }
  const path = stationId ? `/api/files?stationId=${encodeURIComponent(stationId)}` : '/api/files'
  const list = useListing<StationFile>(path, 5)
  return (
    <Section
      title="Sent by stations"
      about="Diagnostics and logs that were asked for. The oldest go when they are too many or too old."
    >
      <Group gap="xs" mt="xs" role="search" aria-label="Files">
        <StationSelect
          value={stationId}
          onChange={(value) =>
            void navigate({
              to: '.',
              search: ((before: object) => ({ ...before, stationId: value ?? undefined })) as never,
              replace: true,
            })
          }
        />
      </Group>
      {list.items?.length === 0 ? (
        <EmptyState
          icon="file"
          title={stationId ? `${stationId} has sent no file` : 'No station has sent a file yet'}
        >
          Fetch diagnostics or the security log on a station's page, under “Firmware and files”, or from many
          by one call.
        </EmptyState>
      ) : (
        <Listing
          label="Files"
          list={list}
          rowKey={(row) => row.id}
          empty=""
          columns={[
            stationColumn('firmware'),
            {
              header: 'File',
              cell: (row) => (
                <>
                  {operator ? (
                    <Anchor href={row.url} size="sm">
                      {row.label || row.name}
                    </Anchor>
                  ) : (
                    row.label || row.name
                  )}
                  {row.label !== '' && row.label !== row.name && (
                    <div className="dimmed">saved as {row.name}</div>
                  )}
                </>
              ),
            },
            {
              header: 'State',
              fixed: true,
              cell: (row) =>
                row.complete ? (
                  <StatusBadge status="Accepted" text="Whole" />
                ) : (
                  <StatusBadge status="Pending" text="Only a part" />
                ),
            },
            { header: 'Size', align: 'right', extra: true, cell: (row) => bytes(row.sizeBytes) },
            { header: 'Came', align: 'right', cell: (row) => <Ago at={row.receivedAt} /> },
            {
              header: '',
              align: 'right',
              cell: (row) =>
                operator && (
                  <ConfirmAction
                    size="compact-xs"
                    aria-label={`Delete ${row.name}`}
                    title={`Delete ${row.label || row.name}?`}
                    text={`It came from ${row.stationId}, and cannot be brought back.`}
                    confirm="Delete"
                    act={() => sendJson('DELETE', `/api/files/${encodeURIComponent(row.id)}`)}
                    onDone={() => {
                      tellDone(`${row.label || row.name} is deleted.`)
                      void list.refetch()
                    }}
                  >
                    Delete
                  </ConfirmAction>
                ),
            },
          ]}
        />
      )}
    </Section>
  )
}
