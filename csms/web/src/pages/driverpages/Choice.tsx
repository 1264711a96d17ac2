import { Checkbox, Group, Select, Skeleton } from '@mantine/core'
import { useMe } from '@/api/me'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { type Access, inherited, type Subject, useChange, useRules, WORDS } from './rules'

const INHERIT = ''

/** What drivers may do at a site or a station: chosen, and saved at once. */
export function Choice({ subject, name }: { subject: Subject; name: string }) {
  const rules = useRules(subject)
  const change = useChange(subject)
  const { may } = useMe()
  if (rules.error) return <ProblemNotice problem={rules.error} retry={() => rules.refetch()} />
  if (rules.data === undefined) return <Skeleton h={34} w={320} />
  const said = rules.data
  const fixed = !may('operator') || change.isPending
  return (
    <Group gap="md">
      <Select
        aria-label={`What drivers may do at ${name}`}
        w={300}
        allowDeselect={false}
        disabled={fixed}
        value={said.access ?? INHERIT}
        data={[
          { value: INHERIT, label: inherited(subject.kind, said) },
          ...Object.entries(WORDS).map(([value, label]) => ({ value, label })),
        ]}
        onChange={(value) => change.mutate({ access: value === INHERIT ? null : (value as Access) })}
      />
      <Checkbox
        label="Cable first"
        aria-label={`A start at ${name} takes a cable that is in`}
        disabled={fixed || said.effective.access === 'off'}
        checked={said.effective.plugFirst}
        onChange={(event) => change.mutate({ plugFirst: event.currentTarget.checked })}
      />
    </Group>
  )
}
