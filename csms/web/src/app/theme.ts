import { createTheme, type MantineColorsTuple, type MantineThemeOverride } from '@mantine/core'

// petrol: calm beside the status colours, none of which it resembles; 4.5:1 on white from shade 7 on
const petrol: MantineColorsTuple = [
  '#e8f5f8',
  '#d3e8ee',
  '#a6d1dd',
  '#76b9ca',
  '#4fa4ba',
  '#3597b0',
  '#1f8aa6',
  '#0b7285',
  '#0a6577',
  '#065263',
]

const slate: MantineColorsTuple = [
  '#f6f8f9',
  '#eef1f3',
  '#e1e6e9',
  '#cfd6da',
  '#b3bcc2',
  '#8c979f',
  '#66727a',
  '#4d5860',
  '#353f46',
  '#222a30',
]

const night: MantineColorsTuple = [
  '#d5dce1',
  '#b9c3ca',
  '#9ba8b1',
  '#7b8a95',
  '#42505a',
  '#2f3b44',
  '#232d35',
  '#1a232a',
  '#141b21',
  '#10161b',
]

// 4.5:1 with white on it from shade 7 on, as filled buttons have it
const red: MantineColorsTuple = [
  '#fdecec',
  '#f9d6d6',
  '#f2abab',
  '#ea8080',
  '#e05c5c',
  '#d64646',
  '#cc3a3a',
  '#c22f2f',
  '#a82727',
  '#8d1f1f',
]

export const theme: MantineThemeOverride = createTheme({
  primaryColor: 'petrol',
  primaryShade: 7,
  autoContrast: true,
  luminanceThreshold: 0.35,
  colors: { petrol, red, gray: slate, dark: night },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.375rem', lineHeight: '1.3' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.35' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Alert: { styles: { title: { color: 'var(--mantine-color-text)' } } },
    Anchor: { defaultProps: { underline: 'always' } },
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', size: 'md' } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' } },
    Paper: { defaultProps: { withBorder: true } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
    Modal: {
      defaultProps: {
        centered: true,
        overlayProps: { backgroundOpacity: 0.45 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: {
        content: { background: 'var(--csms-card)' },
        header: { background: 'var(--csms-card)' },
        title: { fontWeight: 600 },
      },
    },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Loader: { defaultProps: { size: 'sm', type: 'dots', role: 'status' } },
  },
})
