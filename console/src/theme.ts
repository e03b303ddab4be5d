import { createTheme, type MantineColorsTuple } from '@mantine/core'

const blue: MantineColorsTuple = [
  '#eaf3fc',
  '#d3e4f6',
  '#a4c8ee',
  '#72aae6',
  '#4a90df',
  '#327fdb',
  '#0b5cad',
  '#0a529b',
  '#08488a',
  '#053e79'
]

/** Touch targets are at least 44 px (WCAG 2.2, 2.5.5); large buttons on the floor 64 px. */
export const theme = createTheme({
  primaryColor: 'blue',
  // White on shade 6 has 6.6:1; on the lighter ones that Mantine takes in the dark it has too little.
  primaryShade: 6,
  autoContrast: true,
  colors: { blue },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  cursorType: 'pointer',
  respectReducedMotion: true
})
