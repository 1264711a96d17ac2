import { Loader, SegmentedControl } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useSite } from '@/live/hooks'
import { Chart } from '@/parts/Chart'
import { EmptyState } from '@/parts/EmptyState'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { Section } from '@/parts/Section'
import { Circuits } from './Circuits'
import { useHistory, useTail } from './data'
import { Facts } from './Facts'
import type { Site } from './form'
import { pictureOf, RANGES } from './history'
import { Shares } from './Shares'

/** What flows now and has flowed, through which circuits, to whom, and why. */
export function NowTab({ site }: { site: Site }) {
  const live = useSite(site.id)
  return (
    <>
      <Facts site={site} live={live} />
      <PowerOverTime site={site} />
      <Section
        title="Circuits"
        about="What is shared out below each limit, whether cars take it or not. After a drop chargers take some seconds to follow."
      >
        <Circuits site={site} live={live} />
      </Section>
      <Section title="Sessions" about="What each may draw, what it draws, and why it is not more.">
        <Shares site={site} live={live} />
      </Section>
    </>
  )
}

function PowerOverTime({ site }: { site: Site }) {
  const navigate = useNavigate()
  const { range: chosen } = useSearch({ strict: false }) as { range?: string }
  const range = RANGES.find(({ value }) => value === chosen) ?? RANGES[0]
  const history = useHistory(site.id, range)
  const tail = useTail(site.id, history.data)
  const picture = useMemo(
    () => (history.data === undefined ? null : pictureOf(history.data, tail)),
    [history.data, tail],
  )
  return (
    <Section
      title="Power"
      actions={
        <SegmentedControl
          aria-label="Time shown"
          size="xs"
          value={range.value}
          onChange={(value) =>
            void navigate({
              to: '.',
              search: ((before: object) => ({
                ...before,
                range: value === '1h' ? undefined : value,
              })) as never,
              replace: true,
            })
          }
          data={RANGES.map(({ value, label }) => ({ value, label }))}
        />
      }
    >
      {history.error && picture === null ? (
        <ProblemNotice problem={history.error} retry={() => void history.refetch()} />
      ) : picture === null ? (
        <Loader aria-label="Loading" />
      ) : site.chargers.length === 0 ? (
        <EmptyState icon="chart" title="Nothing flows here yet">
          Assign stations to this site in its set-up; their power shows up here.
        </EmptyState>
      ) : (
        <Chart
          label={`Power of ${site.name} by charger against its limit, the last ${range.label}`}
          times={picture.times}
          curves={picture.curves}
          unit="kW"
          stacked
          height={280}
          timeZone={site.timeZone}
        />
      )}
    </Section>
  )
}
