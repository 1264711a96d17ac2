import 'uplot/dist/uPlot.min.css'
import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import classes from './Chart.module.css'
import { NOTHING } from './format'
import { type Curve, colours, stackedCurves, valueAt } from './series'

interface ChartProps {
  /** Read aloud: what is shown. */
  label: string
  /** Seconds since 1970, rising. */
  times: readonly number[]
  curves: readonly Curve[]
  unit: string
  /** Puts the filled curves on top of each other. */
  stacked?: boolean
  height?: number
  /** IANA zone of the time axis; the browser's without it. */
  timeZone?: string
  /** Digits behind the point in the legend. */
  digits?: number
  /** Charts with the same key share their cursor. */
  sync?: string
}

/** Curves over time (uPlot), in the colours of the theme; its legend tells the values at the cursor, else the newest. */
export function Chart({
  label,
  times,
  curves,
  unit,
  stacked = false,
  height = 220,
  timeZone,
  digits = 1,
  sync,
}: ChartProps) {
  const { ref: sizeRef, width } = useElementSize()
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const scheme = useComputedColorScheme('light')

  const data = useMemo(() => {
    const values = stacked ? stackedCurves(curves) : curves.map((curve) => curve.values)
    return [times, ...values] as unknown as uPlot.AlignedData
  }, [times, curves, stacked])
  // made anew when its shape changes; new values alone are set
  const shape = JSON.stringify(curves.map((curve) => [curve.label, curve.colour, curve.kind]))
  const latest = useRef({ curves, data })
  latest.current = { curves, data }

  // biome-ignore lint/correctness/useExhaustiveDependencies: shape stands for the curves
  useEffect(() => {
    if (host.current === null || width === 0) return
    const style = getComputedStyle(host.current)
    const line = style.getPropertyValue('--csms-line') || '#ccc'
    const dimmed = style.getPropertyValue('--mantine-color-dimmed') || '#666'
    const drawn = latest.current.curves
    const axis = {
      stroke: dimmed,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1 },
      font: '11px system-ui',
    }
    const options: uPlot.Options = {
      width,
      height,
      ...(timeZone === undefined
        ? {}
        : { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), timeZone) }),
      cursor: { ...(sync === undefined ? {} : { sync: { key: sync } }), points: { size: 6 } },
      legend: { live: true },
      scales: {
        x: { time: true },
        y: { range: { min: { soft: 0, mode: 1, pad: 0.1 }, max: { soft: 1, mode: 2, pad: 0.1 } } },
      },
      axes: [
        { ...axis, values: HOURS },
        { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => `${tick} ${unit}`) },
      ],
      series: [
        {
          label: 'Time',
          value: (plot, at) => {
            const seconds = at ?? plot.data[0].at(-1)
            return seconds === undefined
              ? NOTHING
              : new Date(seconds * 1000).toLocaleString('sv-SE', timeZone ? { timeZone } : {})
          },
        },
        ...drawn.map((curve, index): uPlot.Series => {
          const colour = resolved(style, curve.colour ?? colours[index % colours.length] ?? '#888')
          return {
            label: curve.label,
            stroke: colour,
            width: curve.kind === 'limit' ? 1.5 : stacked ? 1 : 1.8,
            spanGaps: false,
            points: { show: false },
            ...(curve.kind === 'limit' ? { dash: [6, 4] } : {}),
            ...(curve.kind === 'area' || curve.kind === undefined
              ? { fill: `${colour}${stacked ? '99' : '22'}` }
              : {}),
            ...(curve.kind === 'limit' || curve.stepped
              ? { paths: uPlot.paths.stepped?.({ align: 1 }) }
              : {}),
            value: (plot, __, ___, at) => {
              const values = latest.current.curves[index]?.values ?? []
              const value = valueAt(values, at ?? plot.data[0].length - 1)
              return value === null ? NOTHING : `${value.toFixed(digits)} ${unit}`
            },
          }
        }),
      ],
      ...(stacked ? { bands: bands(drawn) } : {}),
    }
    const made = new uPlot(options, latest.current.data, host.current)
    plot.current = made
    return () => {
      made.destroy()
      plot.current = null
    }
  }, [shape, width, height, scheme, unit, stacked, timeZone, digits, sync])

  useEffect(() => {
    plot.current?.setData(data)
  }, [data])

  return (
    <div ref={sizeRef} className={classes.frame} style={{ minHeight: height }}>
      <div ref={host} role="img" aria-label={label} />
    </div>
  )
}

const HOURS: uPlot.Axis.Values = [
  [86_400, '{MMM} {D}', null, null, null, null, null, null, 1],
  [3600, '{HH}:{mm}', '\n{MMM} {D}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{MMM} {D}', null, null, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{MMM} {D}', null, null, null, null, null, 1],
]

/** Returns the colour itself where it is a variable of the theme: a canvas knows none. */
function resolved(style: CSSStyleDeclaration, colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1]
  return name === undefined ? colour : style.getPropertyValue(name).trim() || '#888888'
}

function bands(curves: readonly Curve[]): uPlot.Band[] {
  const areas = curves.flatMap((curve, index) =>
    curve.kind === undefined || curve.kind === 'area' ? [index + 1] : [],
  )
  return areas.slice(1).map((upper, index) => ({ series: [upper, areas[index] as number] }))
}
