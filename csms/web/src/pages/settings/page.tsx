import { Code, Loader, Stack, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ok } from '@/api/client'
import { EmptyState } from '@/parts/EmptyState'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Scroller } from '@/parts/Scroller'
import { Section } from '@/parts/Section'
import { StatusBadge } from '@/parts/StatusBadge'
import tables from '@/parts/tables.module.css'
import { grouped, MEANINGS, wordsOf } from './meanings'

/** What this system runs with, and what it means. */
export default function SettingsPage() {
  const [text, setText] = useState('')
  const found = useQuery({ queryKey: ['settings'], queryFn: () => ok(api.GET('/api/settings')) })
  const groups = grouped(found.data?.items ?? [], text)
  return (
    <>
      <PageHeader
        title="Settings"
        subtitle="They stand in the environment of the process and hold from its next start; here they are only shown."
      />
      <TextInput
        data-filter
        aria-label="Filter by name or meaning"
        placeholder="Name or meaning"
        leftSection={<Icon name="search" size={15} />}
        w={{ base: '100%', xs: 280 }}
        mb="sm"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {found.error && <ProblemNotice problem={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loader aria-label="Loading" />}
      {found.data && groups.length === 0 && <EmptyState icon="filter" title="No setting passes the filter" />}
      <Stack gap="sm">
        {groups.map(({ group, settings }) => (
          <Section key={group} title={group}>
            <Scroller label={group}>
              <table className={tables.table}>
                <thead>
                  <tr>
                    <th scope="col" style={{ width: '45%' }}>
                      Meaning
                    </th>
                    <th scope="col">Value</th>
                    <th scope="col" className={tables.extra}>
                      From
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {settings.map((setting) => (
                    <tr key={setting.name}>
                      <td>
                        {MEANINGS[setting.name]?.about}
                        <div className="dimmed" style={{ overflowWrap: 'anywhere', fontSize: '0.85em' }}>
                          {setting.name}
                        </div>
                      </td>
                      <td style={{ overflowWrap: 'anywhere' }}>
                        {setting.value ? (
                          <Code>{setting.value}</Code>
                        ) : (
                          <span className="dimmed">{wordsOf(setting)}</span>
                        )}
                      </td>
                      <td className={tables.extra} data-fixed>
                        {setting.isSet ? (
                          <StatusBadge status="set" tone="busy" text="Environment" />
                        ) : (
                          <StatusBadge status="default" tone="idle" text="Default" />
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroller>
          </Section>
        ))}
      </Stack>
    </>
  )
}
