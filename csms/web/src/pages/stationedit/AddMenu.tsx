import { Button, Menu } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { hasPage } from '@/app/pages'
import { Icon } from '@/parts/Icon'

const AddStation = lazy(async () => ({ default: (await import('./EditStation')).AddStation }))
const CsvImport = lazy(async () => ({ default: (await import('@/parts/CsvImport')).CsvImport }))

const EXAMPLE = `identity,name,maxKw,connectors,siteId,address
CP-101,Bay 101,22,2,,Level 1
CP-102,Bay 102,22,2,,Level 1`

/** How stations come in: a charger that connects, by hand, or many from a file. */
export function AddMenu() {
  const navigate = useNavigate()
  const [open, setOpen] = useState<'add' | 'import' | null>(null)
  const close = () => setOpen(null)
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button leftSection={<Icon name="plus" size={14} />}>Add</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {hasPage('/wizard') && (
            <Menu.Item
              leftSection={<Icon name="plug" size={15} />}
              onClick={() => void navigate({ to: '/wizard' })}
            >
              Connect a charger
            </Menu.Item>
          )}
          <Menu.Item leftSection={<Icon name="station" size={15} />} onClick={() => setOpen('add')}>
            Add a station by hand
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="upload" size={15} />} onClick={() => setOpen('import')}>
            Import from CSV
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>
        {open === 'add' && (
          <AddStation
            close={close}
            added={(station) =>
              void navigate({ to: '/stations/$stationId', params: { stationId: station.id } as never })
            }
          />
        )}
        {open === 'import' && (
          <CsvImport
            title="Import stations from CSV"
            path="/api/stations/import"
            about="A line a station under a line with the names of the columns. Needed are name and maxKw; others are the fields of the API, and lat, lon and address. What this system has exported fits, too."
            example={EXAMPLE}
            close={close}
          />
        )}
      </Suspense>
    </>
  )
}
