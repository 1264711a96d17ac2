import { ActionIcon, CloseButton, Loader } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useSites } from '@/live/hooks'
import { EmptyState } from '@/parts/EmptyState'
import { Icon } from '@/parts/Icon'
import { PageLink } from '@/parts/PageLink'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { lookOf, StatusBadge } from '@/parts/StatusBadge'
import {
  gridOffset,
  groups,
  isOneSpot,
  type Point,
  pan,
  project,
  scaleBar,
  toScreen,
  whole,
  zoom,
} from './geo'
import { brief, shortened, withRoom } from './labels'
import { MapMark, Shape } from './MapMark'
import { usePlaces } from './places'
import { countStates, STATES, type StationRow } from './rows'
import classes from './StationMap.module.css'
import { useMapView } from './useMapView'

const REACH = 34
const MOST_NAMES = 120 // in sight; more are not worth the work
const LABEL_DROP = 23
const STEP_PX = 80
const WALL_PX = 1900
const ROOM_PX = 34 // of a site's frame around its marks

interface Placed {
  item: StationRow
  key: string
  point: Point
}

/** Where the stations are, each in the shape and colour of its state; those close together are one mark. */
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

function Canvas({ placed }: { placed: readonly Placed[] }) {
  const { ref: sizeRef, width, height } = useElementSize<HTMLDivElement>()
  const size = useMemo(() => ({ width, height }), [width, height])
  const navigate = useNavigate()
  const sites = useSites()
  const keys = useMemo(() => placed.map(({ key }) => key).join(), [placed])
  const all = () =>
    whole(
      placed.map(({ point }) => point),
      size,
    )
  const { view, setView, frameRef, handlers } = useMapView(size, all, keys)
  const [list, setList] = useState<readonly StationRow[] | null>(null)
  const byKey = useMemo(() => new Map(placed.map((each) => [each.key, each])), [placed])
  const scale = width > WALL_PX ? 1.5 : 1
  const shown = useMemo(
    () => (view === null ? [] : groups(placed, view, size, REACH * scale)),
    [placed, view, size, scale],
  )
  const bar = view === null ? null : scaleBar(view, 120)

  // what is listed follows the states, and goes with the stations
  const listed = list?.flatMap(({ station }) => byKey.get(station.id)?.item ?? []) ?? null

  const bySite = useMemo(() => {
    const found = new Map<string | null, Placed[]>()
    for (const each of placed) {
      const { siteId } = each.item.station
      const members = found.get(siteId)
      if (members) members.push(each)
      else found.set(siteId, [each])
    }
    return found
  }, [placed])

  const frames = useMemo(() => {
    if (view === null) return []
    const names = new Map(sites.map(({ id, name }) => [id, name]))
    return [...bySite].flatMap(([id, members]) => {
      if (id === null) return []
      const at = members.map(({ point }) => toScreen(point, view, size))
      const [left, right] = extent(at.map(({ x }) => x))
      const [top, bottom] = extent(at.map(({ y }) => y))
      return [{ id, name: names.get(id) ?? id, left, top, width: right - left, height: bottom - top }]
    })
  }, [bySite, sites, view, size])

  const labels = useMemo(() => {
    const names = new Map(frames.map(({ id, name }) => [id, name]))
    const short = new Map<string, string>()
    for (const [siteId, members] of bySite) {
      const own = members.map(({ item }) => item.station.name)
      const made = siteId === null ? own : shortened(own)
      members.forEach(({ key }, index) => {
        short.set(key, made[index] ?? '')
      })
    }
    const wanted = shown.slice(0, MOST_NAMES).flatMap(({ key, x, y, members }) => {
      const [first] = members
      if (members.length === 1) return [{ key, x, y, text: short.get(key) ?? '' }]
      const site = first?.station.siteId ?? null
      const whole = site !== null && members.every(({ station }) => station.siteId === site)
      return whole ? [{ key, x, y: y + 6, text: brief(names.get(site) ?? site) }] : []
    })
    return new Map(withRoom(wanted, LABEL_DROP * scale).map(({ key, text }) => [key, text]))
  }, [shown, bySite, frames, scale])

  function open(members: readonly StationRow[]) {
    const [only] = members
    if (members.length === 1 && only) {
      void navigate({ to: '/stations/$stationId', params: { stationId: only.station.id } as never })
      return
    }
    const points = members.flatMap(({ station }) => byKey.get(station.id)?.point ?? [])
    if (isOneSpot(points, REACH)) setList(members)
    else setView(whole(points, size))
  }

  const zoomBy = (factor: number) =>
    setView((before) => before && zoom(before, factor, { x: width / 2, y: height / 2 }, size))
  const keyed = (event: KeyboardEvent) => {
    const move = MOVES[event.key]
    if (move) setView((before) => before && pan(before, -move.x * STEP_PX, -move.y * STEP_PX))
    else if (event.key === '+' || event.key === '=') zoomBy(1.6)
    else if (event.key === '-') zoomBy(1 / 1.6)
    else if (event.key === '0') setView(all())
    else if (event.key === 'Escape') setList(null)
    else return
    event.preventDefault()
  }

  return (
    <section
      ref={sizeRef}
      className={`card ${classes.frame}`}
      aria-label="Map"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard moves it
      tabIndex={0}
      onKeyDown={keyed}
    >
      <span className={classes.hidden}>
        Arrow keys move the map, plus and minus zoom, 0 shows all; Tab goes from mark to mark.
      </span>
      <div ref={frameRef} className={classes.canvas}>
        <svg className={classes.map} width={width} height={height} {...handlers}>
          {view && bar && <Grid {...gridOffset(view, size, bar.pixels)} step={bar.pixels} />}
          {frames
            .filter(({ width: w, height: h }) => Math.max(w, h) > REACH * 2.5)
            .map(({ id, name, left, top, width: w, height: h }) => (
              <g key={id} className={classes.site}>
                <rect
                  x={left - ROOM_PX}
                  y={top - ROOM_PX}
                  width={w + 2 * ROOM_PX}
                  height={h + 2 * ROOM_PX + 8}
                  rx={14}
                />
                <text x={left - ROOM_PX + 10} y={top - ROOM_PX - 6}>
                  {name}
                </text>
              </g>
            ))}
          {shown.map(({ key, x, y, members }) => (
            <MapMark
              key={key}
              x={x}
              y={y}
              members={members}
              scale={scale}
              label={labels.get(key)}
              open={() => open(members)}
            />
          ))}
        </svg>
      </div>
      <div className={classes.buttons}>
        <ActionIcon variant="default" aria-label="Closer" onClick={() => zoomBy(2)}>
          <Icon name="plus" size={16} />
        </ActionIcon>
        <ActionIcon variant="default" aria-label="Farther" onClick={() => zoomBy(0.5)}>
          <Icon name="minus" size={16} />
        </ActionIcon>
        <ActionIcon variant="default" aria-label="Show all" onClick={() => setView(all())}>
          <Icon name="fit" size={16} />
        </ActionIcon>
      </div>
      <Legend rows={placed} />
      {bar && (
        <div className={classes.scale} style={{ width: bar.pixels }}>
          {bar.metres >= 1000
            ? `${bar.metres / 1000} km`
            : bar.metres >= 1
              ? `${bar.metres} m`
              : `${bar.metres * 100} cm`}
        </div>
      )}
      {listed && listed.length > 0 && <SpotList rows={listed} close={() => setList(null)} />}
    </section>
  )
}

function extent(values: readonly number[]): readonly [number, number] {
  return values.reduce<[number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )
}

const MOVES: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

/** Lines as far apart as the scale bar is long; they move with the ground. */
function Grid({ x, y, step }: Point & { step: number }) {
  return (
    <>
      <defs>
        <pattern id="map-grid" x={x} y={y} width={step} height={step} patternUnits="userSpaceOnUse">
          <path d={`M${step} 0H0V${step}`} className={classes.gridLine} />
        </pattern>
      </defs>
      <rect width="100%" height="100%" fill="url(#map-grid)" />
    </>
  )
}

/** Which shapes there are, with how many of each. */
function Legend({ rows }: { rows: readonly Placed[] }) {
  const counts = countStates(rows.map(({ item }) => item))
  return (
    <ul className={classes.legend} aria-label="States">
      {STATES.filter((state) => counts.has(state)).map((state) => (
        <li key={state}>
          <svg width={16} height={16} viewBox="-11 -11 22 22" aria-hidden="true">
            <Shape state={state} />
          </svg>
          {lookOf(state === 'unknown' ? null : state).text} <span className="num">{counts.get(state)}</span>
        </li>
      ))}
    </ul>
  )
}

/** Stations that stand in one spot, which no zoom takes apart. */
function SpotList({ rows, close }: { rows: readonly StationRow[]; close: () => void }) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => ref.current?.querySelector('a')?.focus(), [])
  return (
    <div
      ref={ref}
      className={`card ${classes.list}`}
      role="dialog"
      aria-label={`${rows.length} stations here`}
    >
      <div className={classes.listHead}>
        <b>{rows.length} stations here</b>
        <CloseButton size="sm" aria-label="Close" onClick={close} />
      </div>
      <ul>
        {rows.map(({ station, state }) => (
          <li key={station.id}>
            <PageLink to="/stations/$stationId" params={{ stationId: station.id }} className="row-link">
              {station.name}
            </PageLink>
            <StatusBadge status={state === 'unknown' ? null : state} />
          </li>
        ))}
      </ul>
    </div>
  )
}
