/** 4.5:1 on both grounds. */
export const linkColor = 'light-dark(var(--mantine-color-blue-6), var(--mantine-color-blue-3))'

/** What a plot of so many rows takes, also while its chunk is on the way. */
export const plotHeight = (rows: number): number => rows * 40 + 10

export const bars = () => import('./bars')
// It is on its way while the figures are asked for.
bars().catch(() => undefined)
