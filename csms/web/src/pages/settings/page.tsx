import { Code, Group, Loader, Stack, Switch, TextInput } from '@mantine/core'
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
import { defaultOf, grouped, MEANINGS, presentOf, type Shown, type Told } from './meanings'

/** What this system runs with, what of it is set, and what it means. */
export default function SettingsPage() {
  const [text, setText] = useState('')
  const [onlySet, setOnlySet] = useState(false)
  const found = useQuery({ queryKey: ['settings'], queryFn: () => ok(api.GET('/api/settings')) })
  const all = found.data?.items ?? []
  const groups = grouped(onlySet ? all.filter(({ isSet }) => isSet) : all, text)
  return (
    <>
      <PageHeader
        title="Settings"
        subtitle="They stand in the environment of the process and hold from its next start; here they are only shown."
      />
      <Group gap="md" mb="sm" role="search" aria-label="Settings">
        <TextInput
          data-filter
          aria-label="Filter by name or meaning"
          placeholder="Name or meaning"
          leftSection={<Icon name="search" size={15} />}
          w={{ base: '100%', xs: 280 }}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Switch
          label="Only what is set"
          checked={onlySet}
          onChange={(event) => setOnlySet(event.currentTarget.checked)}
        />
      </Group>
      {found.error && <ProblemNotice problem={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loader aria-label="Loading" />}
      {found.data && groups.length === 0 && (
        <EmptyState
          icon="filter"
          title={onlySet && text === '' ? 'Nothing is set' : 'No setting passes the filter'}
        >
          {onlySet && text === '' && 'All that holds are the defaults.'}
        </EmptyState>
      )}
      <Stack gap="sm">
        {groups.map(({ group, settings }) => (
          <Section key={group} title={group}>
            <Scroller label={group}>
              <table className={`${tables.table} ${tables.stacked}`}>
                <thead>
                  <tr>
                    <th scope="col" style={{ width: '48%' }}>
                      Setting
                    </th>
                    <th scope="col">What holds</th>
                    <th scope="col" style={{ width: 130 }}>
                      Because
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {settings.map((setting) => (
                    <Row key={setting.name} setting={setting} />
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

function Row({ setting }: { setting: Shown }) {
  const usual = defaultOf(setting)
  return (
    <tr>
      <th scope="row" data-wide>
        {MEANINGS.get(setting.name)?.about ?? setting.name}
        <div className="dimmed" style={{ overflowWrap: 'anywhere', fontSize: '0.85em' }}>
          {setting.name}
        </div>
      </th>
      <td style={{ overflowWrap: 'anywhere' }}>
        <Value told={presentOf(setting)} strong={setting.isSet} />
        {setting.isSet && !setting.secret && (
          <div className="dimmed" style={{ fontSize: '0.85em' }}>
            default: {usual.text}
          </div>
        )}
      </td>
      <td data-fixed>
        {setting.isSet ? (
          <StatusBadge status="set" tone="busy" text="it is set" />
        ) : (
          <span className="dimmed">the default</span>
        )}
      </td>
    </tr>
  )
}

function Value({ told, strong }: { told: Told; strong: boolean }) {
  if (told.literal) return <Code fw={strong ? 600 : 400}>{told.text}</Code>
  return <span className={strong ? undefined : 'dimmed'}>{told.text}</span>
}
