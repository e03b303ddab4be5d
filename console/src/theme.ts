import { ActionIcon, Burger, Button, CloseButton, createTheme, type MantineColorsTuple, SegmentedControl } from '@mantine/core'

const blue: MantineColorsTuple = [
  '#eaf3fc',
  '#d3e4f6',
  '#a4c8ee',
  '#72aae6',
  '#4a90df',
  '#2570c9',
  '#0b5cad',
  '#0a529b',
  '#08488a',
  '#053e79'
]

const target = '44px'

/** Touch targets are at least 44 px (WCAG 2.2, 2.5.5); large buttons on the floor 64 px. */
export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: { light: 6, dark: 5 },
  autoContrast: true,
  // Below it white text has 4.5:1, above it black text has more.
  luminanceThreshold: 0.18,
  colors: { blue },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Smaller sizes have smaller text, not a smaller target; lg and xl are higher than that by themselves.
    Button: Button.extend({
      vars: (_, { size = 'sm' }) => ({ root: size === 'xs' || size === 'sm' || size === 'md' ? { '--button-height': target } : {} })
    }),
    Burger: Burger.extend({
      styles: { root: { minWidth: 44, minHeight: 44, display: 'flex', alignItems: 'center', justifyContent: 'center' } }
    }),
    CloseButton: CloseButton.extend({ defaultProps: { size: 44, iconSize: 20 } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { size: 44 } }),
    SegmentedControl: SegmentedControl.extend({ styles: { label: { minHeight: 44, alignContent: 'center' } } })
  }
})
