import t from 'tap'
import { describeApi } from '../../core/http/openapi.ts'
import { openTestHouse } from '../helpers/house.ts'

t.test('E3: a cursor that no page gave is refused, never a fault of ours', async t => {
  const at = await openTestHouse(t)
  const token = await at.admin()
  const document = JSON.parse(await describeApi(at.house.app)) as {
    paths: Record<string, { get?: { parameters?: { name: string; in: string }[] } }>
  }
  const lists = Object.entries(document.paths).filter(([, { get }]) => get?.parameters?.some(p => p.name === 'after'))
  t.ok(lists.length >= 8, 'an empty scan is no pass')
  const forged = [['x'], ['x', 'x'], ['x', 'x', 'x'], [1, 'x', 'x'], [1, '2026-99-99', 'x'], ['9'.repeat(30)], [1e308, 'x', 'x'], {}, null]
  for (const [path] of lists) {
    for (const parts of forged) {
      const after = Buffer.from(JSON.stringify(parts)).toString('base64url')
      const answer = await at.call(
        'GET',
        `${path}?day=2026-01-01&after=${after}`.replace('day=2026-01-01&', path.endsWith('/hours') ? 'day=2026-01-01&' : ''),
        { token }
      )
      t.ok(answer.status < 500, `${path} ${JSON.stringify(parts)}: ${answer.status}`)
    }
  }
})
