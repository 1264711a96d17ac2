import type { CSSProperties } from 'react'

/** Line drawings on a grid of 24; each is one path. Add yours here, in the order of the alphabet. */
const PATHS = {
  alert: 'M12 4 2.8 20h18.4L12 4zm0 6v4.5m0 3v.1',
  arrowLeft: 'M19 12H5m6-6-6 6 6 6',
  battery: 'M3 8h15v8H3zM21 11v2M6 11v2m3-2v2',
  bolt: 'M13 3 5 13.5h6L10 21l8-10.5h-6z',
  calendar: 'M4 6h16v14H4zm0 4h16M8 3v5m8-5v5',
  card: 'M3 6h18v12H3zm0 4h18M6 15h4',
  chart: 'M4 4v16h16M8 16v-4m4 4V8m4 8v-6',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  chevronDown: 'm6 9 6 6 6-6',
  chevronRight: 'm9 6 6 6-6 6',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2',
  code: 'm8.5 7-5 5 5 5m7-10 5 5-5 5',
  copy: 'M8 8h12v12H8zM16 8V4H4v12h4',
  dots: 'M5 12h.1M12 12h.1M19 12h.1',
  download: 'M12 4v11m-5-4.5 5 5 5-5M4 20h16',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  external: 'M14 4h6v6m0-6-9 9M10 5H4v15h15v-6',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  filter: 'M4 5h16l-6.2 7.5V20l-3.6-2v-5.5z',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5m11-5v5h-5',
  grid: 'M4 4h7v7H4zm9 0h7v7h-7zM4 13h7v7H4zm9 0h7v7h-7z',
  home: 'm3 11.5 9-8 9 8M5.5 10v10h13V10',
  info: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 11v5.5m0-9v.1',
  key: 'M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm3 1 8.5-8.5M16 7l3 3',
  list: 'M9 6h11M9 12h11M9 18h11M4.5 6h.1M4.5 12h.1M4.5 18h.1',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  map: 'M12 21c4-5 6-8.2 6-11a6 6 0 1 0-12 0c0 2.800 2 6 6 11zm0-9a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  menu: 'M4 6.500h16M4 12h16M4 17.500h16',
  message: 'M4 5h16v11h-9l-4.500 4v-4H4zM8 9h8m-8 3.500h5',
  minus: 'M5 12h14',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z',
  pause: 'M8 5v14m8-14v14',
  play: 'M7 4.500v15l12-7.500z',
  plug: 'M9 3v5m6-5v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4',
  plus: 'M12 5v14M5 12h14',
  power: 'M12 3v8M6.500 6.500a8 8 0 1 0 11 0',
  qr: 'M4 4h6v6H4zm10 0h6v6h-6zM4 14h6v6H4zm10 0h2v2h-2zm4 4h2v2h-2zm0-4h2m-6 6h2',
  refresh: 'M20 5v5h-5M4 19v-5h5m10-4a7.500 7.500 0 0 0-13-3L4 9m1 5a7.500 7.500 0 0 0 13 3l2-2',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500 21 21',
  settings:
    'M4 7h9m5 0h2M4 17h2m5 0h9M15.500 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zm-7 10a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z',
  shield: 'M12 3 5 6v5c0 4.500 3 8 7 10 4-2 7-5.500 7-10V6z',
  site: 'M4 21V8l7-4v17m0-11 9 3v8M2.500 21h19M7 10v.1M7 14v.1M15 15v.1m0 3v.1',
  station: 'M5 21V4h9v17M3.500 21h12M7.500 7h4v4h-4zM14 12h2.500v5a1.500 1.500 0 0 0 3 0V9.500L17 7',
  stop: 'M6 6h12v12H6z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2m0 15v2M2.500 12h2m15 0h2M5.300 5.300l1.400 1.400m10.600 10.600 1.400 1.400m0-13.400-1.400 1.400M6.700 17.300l-1.400 1.400',
  tag: 'M4 4h8l8 8-8 8-8-8zM8.500 8.500h.1',
  trash: 'M5 7h14M10 4h4M7 7l1 13h8l1-13M10 11v5.500m4-5.500v5.500',
  unlock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 6.800-1',
  upload: 'M12 16V5M7 9.500l5-5 5 5M4 20h16',
  user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c.8-4 4-6 8-6s7.200 2 8 6',
  users:
    'M9 5a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM2.500 20c.6-3.500 3.200-5 6.500-5s5.900 1.500 6.500 5M16 5.500a3.200 3.200 0 0 1 0 6m2 4c2 .6 3.200 2 3.600 4.500',
  wand: 'm5 19 10-10m-1-4v2m5 3h-2M9 4.500v.1M18.500 15v.1M17 5l.5-.5M13.500 7.500l3 3',
  wifiOff:
    'M3 3l18 18M8.500 15.500a5 5 0 0 1 5-1.300M5 12a10 10 0 0 1 4-2.500m5.500-.3A10 10 0 0 1 19 12M12 19h.1M2 8.500a14 14 0 0 1 3.500-2.300M10 4.800A14 14 0 0 1 22 8.500',
  x: 'm6 6 12 12M18 6 6 18',
} as const

export type IconName = keyof typeof PATHS

interface IconProps {
  name: IconName
  size?: number
  color?: string
  /** Read aloud; without it the drawing says nothing that the text beside it does not. */
  label?: string
  style?: CSSProperties
}

export function Icon({ name, size = 18, color = 'currentColor', label, style }: IconProps) {
  const named = label === undefined ? { 'aria-hidden': true as const } : { role: 'img', 'aria-label': label }
  return (
    <svg
      {...named}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke={color}
      strokeWidth={1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      style={{ flex: 'none', ...style }}
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
