import '@mantine/charts/styles.css'
import { BarChart } from '@mantine/charts'
import { useFormat } from '../../format'
import { plotHeight } from './looks'

export interface BarRow {
  readonly label: string
  readonly [series: string]: number | string
}

/**
 * Lying bars, a row each, drawn only: the figures stand in a table beside, which is what a screen reader reads. In a chunk of its own,
 * since nothing else draws.
 */
export default function Bars({
  rows,
  series
}: {
  rows: readonly BarRow[]
  series: readonly { readonly name: string; readonly label: string; readonly color: string }[]
}) {
  const format = useFormat()
  return (
    <div aria-hidden>
      <BarChart
        h={plotHeight(rows.length)}
        data={rows.map(row => ({ ...row }))}
        dataKey="label"
        orientation="vertical"
        type="stacked"
        series={series.map(one => ({ ...one }))}
        gridAxis="none"
        tickLine="none"
        withXAxis={false}
        xAxisProps={{ domain: [0, 'dataMax'] }}
        yAxisProps={{ width: 110, interval: 0 }}
        maxBarWidth={26}
        valueFormatter={value => format.count(value)}
        barChartProps={{ accessibilityLayer: false, margin: { top: 0, right: 4, bottom: 0, left: 0 } }}
        barProps={{ isAnimationActive: false, stroke: 'var(--mantine-color-body)', strokeWidth: 1 }}
      />
    </div>
  )
}
