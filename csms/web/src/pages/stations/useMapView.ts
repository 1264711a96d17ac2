import { type PointerEvent, useEffect, useRef, useState } from 'react'
import { type Point, pan, type Size, type View, zoom } from './geo'

/**
 * The part of the world that is in sight, moved by mouse, wheel and fingers.
 *
 * `all`: the view that has everything in it; it is taken when there is another choice (`choice`).
 */
export function useMapView(size: Size, all: () => View, choice: string) {
  const frameRef = useRef<HTMLDivElement>(null)
  const [view, setView] = useState<View | null>(null)
  const ready = size.width > 0 && size.height > 0

  // another choice of stations is looked at as a whole; what they do meanwhile moves nothing
  // biome-ignore lint/correctness/useExhaustiveDependencies: choice stands for the stations
  useEffect(() => {
    if (ready) setView(all())
  }, [choice, ready])

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

  const fingers = useRef(new Map<number, Point>())

  function moved(event: PointerEvent) {
    const known = fingers.current
    const from = known.get(event.pointerId)
    if (from === undefined) return
    const to = { x: event.clientX, y: event.clientY }
    known.set(event.pointerId, to)
    const [other] = [...known].filter(([id]) => id !== event.pointerId).map(([, point]) => point)
    if (other === undefined) {
      setView((before) => before && pan(before, to.x - from.x, to.y - from.y))
      return
    }
    const box = frameRef.current?.getBoundingClientRect()
    const [was, is] = [from, to].map((point) => Math.hypot(point.x - other.x, point.y - other.y))
    if (!was || !is || !box) return
    const about = { x: (to.x + other.x) / 2 - box.left, y: (to.y + other.y) / 2 - box.top }
    setView((before) => before && zoom(before, is / was, about, size))
  }

  const gone = (event: PointerEvent) => {
    fingers.current.delete(event.pointerId)
  }

  const handlers = {
    onPointerDown: (event: PointerEvent<SVGSVGElement>) => {
      if ((event.target as Element).closest('[role="button"]')) return
      fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
      event.currentTarget.setPointerCapture(event.pointerId)
    },
    onPointerMove: moved,
    onPointerUp: gone,
    onPointerCancel: gone,
  }
  return { view, setView, frameRef, handlers }
}
