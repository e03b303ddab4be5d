import type { Row, Rpc, Value } from './rpc.ts'

/**
 * What a planner does in Tryton's own client: new productions from the bills of material, with their components, put to wait and
 * assigned. Products that the stock of a seeded lab is enough for, one after another.
 */
const wishes = [
  ['SA-1001', 8],
  ['SA-1002', 8],
  ['SA-1007', 10],
  ['SA-1004', 4],
  ['SA-1001', 5],
  ['SA-1003', 2]
] as const

/** @returns the numbers of the productions, all assigned */
export async function planOrders(planner: Rpc, companyId: number, count: number): Promise<string[]> {
  const one = async (model: string, domain: readonly Value[], fields: readonly string[]): Promise<Row> => {
    const [row] = await planner.rows(model, domain, fields)
    if (!row) throw new Error(`the lab has no ${model} with ${JSON.stringify(domain)}`)
    return row
  }
  const warehouse = await one(
    'stock.location',
    [
      ['type', '=', 'warehouse'],
      ['code', '=', 'HM']
    ],
    ['production_location', 'storage_location', 'production_picking_location', 'production_output_location']
  )
  const place = warehouse.production_location ?? null
  const from = warehouse.production_picking_location ?? warehouse.storage_location ?? null
  const to = warehouse.production_output_location ?? warehouse.storage_location ?? null
  const company = await one('company.company', [['id', '=', companyId]], ['currency'])
  const site = await one(
    'production.work.center',
    [
      ['parent', '=', null],
      ['warehouse', '=', warehouse.id ?? null]
    ],
    ['name']
  )
  const numbers: string[] = []
  for (let n = 0; n < count; n++) {
    const [code, quantity] = wishes[n % wishes.length] ?? wishes[0]
    const product = await one('product.product', [['code', '=', code]], ['default_uom'])
    const bill = await one('product.product-production.bom', [['product', '=', product.id ?? null]], ['bom', 'routing'])
    const common = { company: companyId, currency: company.currency ?? null }
    const inputs = await planner.rows('production.bom.input', [['bom', '=', bill.bom ?? null]], ['product', 'quantity', 'uom'])
    const [id = 0] = await planner.call<number[]>('model.production.create', [
      {
        company: companyId,
        warehouse: warehouse.id ?? null,
        location: place,
        work_center: site.id ?? null,
        product: product.id ?? null,
        bom: bill.bom ?? null,
        routing: bill.routing ?? null,
        uom: product.default_uom ?? null,
        quantity,
        planned_start_date: day(1),
        planned_date: day(4 + (n % 3)),
        reference: `PLAN-${n + 1}`,
        inputs: [
          [
            'create',
            inputs.map(input => ({
              ...common,
              product: input.product ?? null,
              uom: input.uom ?? null,
              quantity: Math.round((input.quantity as number) * quantity * 1e4) / 1e4,
              from_location: from,
              to_location: place
            }))
          ]
        ],
        outputs: [
          [
            'create',
            [
              {
                ...common,
                product: product.id ?? null,
                uom: product.default_uom ?? null,
                quantity,
                from_location: place,
                to_location: to,
                unit_price: { __class__: 'Decimal', decimal: '0' }
              }
            ]
          ]
        ]
      }
    ])
    await planner.call('model.production.wait', [id])
    await planner.call('model.production.assign_try', [id])
    const made = await one('production', [['id', '=', id]], ['number', 'state'])
    if (made.state !== 'assigned')
      throw new Error(`the lab has not the material for ${String(made.number)} (${code}): it is ${String(made.state)}`)
    numbers.push(String(made.number))
  }
  return numbers
}

function day(offset: number): Value {
  const at = new Date(Date.now() + offset * 86_400_000)
  return { __class__: 'date', year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() }
}
