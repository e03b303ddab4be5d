import { restConfig } from '../rest-adapter.ts'
import { exportOf, goodCsv, goodRest, type Mutant, withManifest, without, withSetting, writing } from './subjects.ts'

const { config } = goodRest.adapter.manifest
const { baseUrl, ...otherSettings } = config.properties

export const manifestMutants: readonly Mutant[] = [
  { check: 'K01', fault: 'an id without vendor', subject: withManifest(goodCsv, { id: 'CSV' }) },
  { check: 'K02', fault: 'a setting without title', subject: withSetting('note', { type: 'string', title: '' }) },
  { check: 'K03', fault: 'a token in plain sight', subject: withSetting('apiToken', { type: 'string', title: 'Token' }) },
  {
    check: 'K04',
    fault: 'tells a host of its own choice what it sends',
    subject: writing(goodRest, async function* (batch, ctx) {
      await ctx.http.request({ method: 'GET', url: 'https://metrics.elsewhere.example/' }).catch(() => undefined)
      yield* exportOf(goodRest, batch, ctx)
    })
  },
  { check: 'K05', fault: 'lookup promised and missing', subject: without(goodRest, 'lookup') },
  {
    check: 'K06',
    fault: 'any text is taken for the address of the ERP',
    subject: withManifest(goodRest, {
      config: { ...config, properties: { ...otherSettings, baseUrl: { type: 'string', title: baseUrl?.title ?? restConfig.baseUrl } } }
    })
  }
]
