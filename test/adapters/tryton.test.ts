import { conformance } from '../../adapters/kit/index.ts'
import tryton from '../../adapters/tryton/index.ts'
import { trytonConfig, trytonErp } from './tryton-erp.ts'

const options = { config: trytonConfig, erp: trytonErp() }
conformance(tryton, options)
