import { ActionIcon, Loader } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { type PointerEvent, useEffect, useMemo, useRef, useState } from 'react'
import { hasPage } from '@/app/pages'
import { EmptyState } from '@/parts/EmptyState'
import { Icon } from '@/parts/Icon'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { lookOf } from '@/parts/StatusBadge'
import { groups, pan, project, scaleBar, type View, whole, zoom } from './geo'
import { usePlaces } from './places'
import { STATES, type StationRow } from './rows'
import classes from './StationMap.module.css'

const REACH = 30
const MOST_TITLES = 12
const MOST_NAMES = 40 // in sight; more would cover the marks

/** Where the stations are, each in the colour of its state; those close together are one mark. */
export function StationMap({ rows }: { rows: readonly StationRow[] }) {
  const places = usePlaces()
  const placed = useMemo(
    () =>
      rows.flatMap((row) => {
        const place = places.data?.get(row.station.id)
        return place === undefined ? [] : [{ item: row, key: row.station.id, point: project(place) }]
      }),
    [rows, places.data],
  )
  if (places.error) return <ProblemNotice problem={places.error} retry={() => places.refetch()} />
  if (places.data === undefined) return <Loader aria-label="Loading" />
  if (places.data.size === 0)
    return (
      <EmptyState icon="map" title="No station has coordinates">
        Give stations a location with latitude and longitude – on their page, through the API or by CSV – and
        they are shown here.
      </EmptyState>
    )
  return (
    <>
      <Canvas placed={placed} />
      {placed.length < rows.length && (
        <p className="dimmed">
          {rows.length - placed.length} of {rows.length} have no coordinates and are not shown.
        </p>
      )}
    </>
  )
}

type Placed = { item: StationRow; key: string; point: { x: number; y: number } }

function Canvas({ placed }: { placed: readonly Placed[] }) {
  const { ref: sizeRef, width, height } = useElementSize<HTMLDivElement>()
  const frameRef = useRef<HTMLDivElement>(null)
  const [view, setView] = useState<View | null>(null)
  const navigate = useNavigate()
  const size = useMemo(() => ({ width, height }), [width, height])
  const ready = width > 0 && height > 0
  const keys = useMemo(() => placed.map(({ key }) => key).join(), [placed])

  // another choice of stations is looked at as a whole; what they do meanwhile moves nothing
  // biome-ignore lint/correctness/useExhaustiveDependencies: keys stands for the stations
  useEffect(() => {
    if (ready)
      setView(
        whole(
          placed.map(({ point }) => point),
          size,
        ),
      )
  }, [keys, ready])

  const zoomBy = (factor: number, x = width / 2, y = height / 2) =>
    setView((before) => before && zoom(before, factor, { x, y }, size))

  // React's own wheel listener is passive and could not keep the page still
  useEffect(() => {
    const frame = frameRef.current
    if (!frame) return
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const box = frame.getBoundingClientRect()
      const about = { x: event.clientX - box.left, y: event.clientY - box.top }
      setView((before) => before && zoom(before, Math.exp(-event.deltaY / 400), about, size))
    }
    frame.addEventListener('wheel', wheel, { passive: false })
    return () => frame.removeEventListener('wheel', wheel)
  }, [size])

  const drag = useRef<{ x: number; y: number } | null>(null)
  const moved = (event: PointerEvent) => {
    const from = drag.current
    if (from === null) return
    drag.current = { x: event.clientX, y: event.clientY }
    setView((before) => before && pan(before, event.clientX - from.x, event.clientY - from.y))
  }

  const shown = useMemo(() => (view === null ? [] : groups(placed, view, size, REACH)), [placed, view, size])
  const bar = view === null ? null : scaleBar(view, 120)

  function open(members: readonly StationRow[], x: number, y: number) {
    const [only] = members
    if (members.length === 1 && only && hasPage('/stations/$stationId'))
      void navigate({ to: '/stations/$stationId', params: { stationId: only.station.id } as never })
    else zoomBy(3, x, y)
  }

  return (
    <div ref={sizeRef} className={`card ${classes.frame}`}>
      <div ref={frameRef} className={classes.canvas}>
        <svg
          className={classes.map}
          width={width}
          height={height}
          onPointerDown={(event) => {
            if ((event.target as Element).closest('[role="button"]')) return
            drag.current = { x: event.clientX, y: event.clientY }
            event.currentTarget.setPointerCapture(event.pointerId)
          }}
          onPointerMove={moved}
          onPointerUp={() => {
            drag.current = null
          }}
          onPointerCancel={() => {
            drag.current = null
          }}
        >
          {shown.map(({ key, x, y, members }) => {
            const state = worst(members)
            const look = lookOf(state === 'unknown' ? null : state)
            const one = members.length === 1
            const label = one
              ? `${members[0]?.station.name}: ${look.text}`
              : `${members.length} stations: ${look.text} and more`
            return (
              <g
                key={key}
                role="button"
                tabIndex={0}
                aria-label={label}
                className={classes.mark}
                data-tone={look.tone}
                transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
                onClick={() => open(members, x, y)}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' || event.key === ' ') {
                    event.preventDefault()
                    open(members, x, y)
                  }
                }}
              >
                <title>{titles(members)}</title>
                <circle r={one ? 8 : Math.min(22, 11 + Math.log2(members.length) * 1.6)} />
                {one && shown.length <= MOST_NAMES && (
                  <text x={13} dy="0.35em" className={classes.name}>
                    {members[0]?.station.name}
                  </text>
                )}
                {!one && (
                  <text dy="0.35em" textAnchor="middle">
                    {members.length}
                  </text>
                )}
              </g>
            )
          })}
        </svg>
      </div>
      <div className={classes.buttons}>
        <ActionIcon variant="default" aria-label="Closer" onClick={() => zoomBy(2)}>
          <Icon name="plus" size={16} />
        </ActionIcon>
        <ActionIcon variant="default" aria-label="Farther" onClick={() => zoomBy(0.5)}>
          <Icon name="minus" size={16} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label="Show all"
          onClick={() =>
            setView(
              whole(
                placed.map(({ point }) => point),
                size,
              ),
            )
          }
        >
          <Icon name="fit" size={16} />
        </ActionIcon>
      </div>
      {bar && (
        <div className={classes.scale} style={{ width: bar.pixels }}>
          {bar.metres >= 1000
            ? `${bar.metres / 1000} km`
            : bar.metres >= 1
              ? `${bar.metres} m`
              : `${bar.metres * 100} cm`}
        </div>
      )}
    </div>
  )
}

function worst(members: readonly StationRow[]): string {
  const present = new Set(members.map((row) => row.state))
  return STATES.find((state) => present.has(state)) ?? 'unknown'
}

function titles(members: readonly StationRow[]): string {
  const lines = members
    .slice(0, MOST_TITLES)
    .map(({ station, state }) => `${station.name}: ${lookOf(state === 'unknown' ? null : state).text}`)
  if (members.length > MOST_TITLES) lines.push(`and ${members.length - MOST_TITLES} more`)
  return lines.join('\n')
}
