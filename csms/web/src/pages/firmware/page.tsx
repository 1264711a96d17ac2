import { Alert, Tabs } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMe } from '@/api/me'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { FilesTab } from './FilesTab'
import { ImagesTab } from './ImagesTab'
import { useEndpoint } from './images'
import { UpdateTab } from './UpdateTab'

/** Firmware for stations, and the files that they have sent. */
export default function FirmwarePage() {
  const { may } = useMe()
  const navigate = useNavigate()
  const { tab } = useSearch({ strict: false }) as { tab?: string }
  const endpoint = useEndpoint()
  const operator = may('operator')
  const chosen = tab === 'files' || (tab === 'update' && operator) ? tab : 'images'
  return (
    <>
      <PageHeader
        title="Firmware and files"
        subtitle={
          endpoint.data &&
          endpoint.data.schemes.length > 0 &&
          `Stations reach it by ${endpoint.data.schemes.map((scheme) => scheme.toUpperCase()).join(', ')}`
        }
      />
      {endpoint.data?.schemes.length === 0 && (
        <Alert
          color="yellow"
          variant="light"
          mb="md"
          maw={720}
          icon={<Icon name="alert" />}
          title="Stations cannot reach these files yet"
        >
          Set CSMS_FILES_PORT (HTTP) or CSMS_FTP_PORT, and start csms again. Until then a station fetches
          firmware only from an address that a call gives it, and brings its diagnostics elsewhere.
        </Alert>
      )}
      <Tabs
        value={chosen}
        keepMounted={false}
        onChange={(value) =>
          void navigate({
            to: '.',
            search: ((before: object) => ({
              ...before,
              tab: value === 'images' ? undefined : value,
              image: undefined,
            })) as never,
            replace: true,
          })
        }
      >
        <Tabs.List mb="sm" aria-label="Firmware and files">
          <Tabs.Tab value="images">Images</Tabs.Tab>
          {operator && <Tabs.Tab value="update">Update stations</Tabs.Tab>}
          <Tabs.Tab value="files">Sent by stations</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="images">
          <ImagesTab />
        </Tabs.Panel>
        {operator && (
          <Tabs.Panel value="update">
            <UpdateTab />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="files">
          <FilesTab />
        </Tabs.Panel>
      </Tabs>
    </>
  )
}
