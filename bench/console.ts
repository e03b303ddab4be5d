import { get } from 'node:http'
import type { Browser, Page } from 'playwright-core'
import { signIn } from '../demo/api.ts'
import { openBrowser } from '../test/helpers/browser.ts'
import { openFactory } from '../test/helpers/factory.ts'
import type { Bench, Figure } from './figures.ts'

const rounds = 5

/** The main screens, with what shows that their data has come; `:order` and `:connection` stand for ids. A tablet in landscape, as on the floor. */
const screens: readonly { readonly path: string; readonly who: string; readonly ready: string }[] = [
  { path: '/floor', who: 'zagen', ready: 'main ul button, main table button, main section button' },
  { path: '/overview', who: 'admin', ready: '.recharts-surface' },
  { path: '/orders', who: 'admin', ready: 'table tbody tr' },
  { path: '/orders/:order', who: 'admin', ready: 'table tbody tr' },
  { path: '/stock', who: 'admin', ready: 'table tbody tr' },
  { path: '/hours', who: 'zagen', ready: 'h1' },
  { path: '/hours?tab=team', who: 'admin', ready: 'h1' },
  { path: '/connections', who: 'admin', ready: 'main a[href^="/connections/"]' },
  { path: '/connections/:connection/deliveries', who: 'admin', ready: 'table tbody tr' },
  { path: '/connections/:connection/mapping', who: 'admin', ready: 'table tbody tr' },
  { path: '/errors', who: 'admin', ready: 'main li' },
  { path: '/people/users', who: 'admin', ready: 'table tbody tr' },
  { path: '/account', who: 'admin', ready: 'table tbody tr' }
]

interface Who {
  readonly customer: string
  readonly username: string
  readonly password: string
}

/** A page that has nothing in its cache. One browser each: the binary of the npm package bears no second context. */
async function fresh<T>(t: Parameters<typeof openBrowser>[0], work: (page: Page, browser: Browser) => Promise<T>): Promise<T> {
  const browser = await openBrowser(t)
  try {
    const context = await browser.newContext({ viewport: { width: 1180, height: 820 }, locale: 'nl-NL' })
    context.setDefaultTimeout(60_000)
    return await work(await context.newPage(), browser)
  } finally {
    await browser.close()
  }
}

/** What the browser itself counts since it began to load the page. */
const sinceStart = (page: Page): Promise<number> => page.evaluate('performance.now()')

async function fill(page: Page, { customer, username, password }: Who): Promise<void> {
  await page.locator('input[autocomplete=organization]').fill(customer)
  await page.locator('input[autocomplete=username]').fill(username)
  await page.locator('input[autocomplete=current-password]').fill(password)
}

/** Milliseconds until the form can be written in, and from sending it until the first row of the list of orders is there. */
async function firstScreens(page: Page, baseUrl: string, who: Who): Promise<{ form: number; list: number }> {
  await page.goto(`${baseUrl}/orders`, { waitUntil: 'commit' })
  await page.locator('input[autocomplete=username]').click()
  const form = await sinceStart(page)
  await fill(page, who)
  const sent = await sinceStart(page)
  await page.locator('button[type=submit]').click()
  await page.locator('table tbody tr').first().waitFor()
  return { form, list: (await sinceStart(page)) - sent }
}

/** Everything index.html names: its script, what that imports at once, its styles. */
async function loadedFirst(baseUrl: string): Promise<string[]> {
  const html = await (await fetch(baseUrl)).text()
  return [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(match => baseUrl + match[1])
}

/** As it goes over the wire: `fetch` would take the encoding off again. */
const received = (url: string, encoding: string): Promise<{ encoding: string; bytes: Buffer }> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': encoding }, agent: false }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => chunks.push(chunk))
      answer.on('end', () => resolve({ encoding: answer.headers['content-encoding'] ?? 'identity', bytes: Buffer.concat(chunks) }))
    }).on('error', reject)
  })

async function weight(urls: readonly string[], encoding: string): Promise<number> {
  const all = await Promise.all(urls.map(url => received(url, encoding)))
  // Small files go as they are; counted as they would be compressed, the sum would be smaller than the truth.
  if (!all.some(one => one.encoding === encoding)) throw new Error(`the server does not send ${encoding}`)
  return all.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

interface Shift {
  readonly value: number
  readonly sources: readonly string[]
}

const observe = `
  globalThis.__shifts = []
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue
      const name = node => node instanceof Element ? node.tagName.toLowerCase() + (node.id ? '#' + node.id : '') + ' ' + (node.textContent ?? '').slice(0, 30) : String(node?.textContent).slice(0, 30)
      globalThis.__shifts.push({ value: entry.value, sources: entry.sources.map(source => name(source.node) + ' ' + JSON.stringify([source.previousRect.x, source.previousRect.y, source.previousRect.height]) + '->' + JSON.stringify([source.currentRect.x, source.currentRect.y, source.currentRect.height])) })
    }
  }).observe({ type: 'layout-shift', buffered: true })`

/** How much of the screen moved by itself while it filled, signed in and loaded anew; every answer of the API takes 150 ms longer. */
async function shifts(page: Page, baseUrl: string, path: string, ready: string): Promise<Shift[]> {
  await page.goto(baseUrl + path)
  await page.locator(ready).first().waitFor()
  await page.waitForTimeout(1_000)
  return page.evaluate('globalThis.__shifts')
}

export const bench: Bench = {
  name: 'console',
  longOnly: true,
  async run(t, say) {
    const { at, person } = await openFactory(t)
    const urls = await loadedFirst(at.baseUrl)
    const gzip = await weight(urls, 'gzip')
    const brotli = await weight(urls, 'br')
    const plain = (await Promise.all(urls.map(url => received(url, 'identity')))).reduce((sum, { bytes }) => sum + bytes.length, 0)
    const figures: Figure[] = [
      {
        name: 'main bundle, gzip',
        unit: 'bytes',
        values: [gzip],
        goal: 300_000,
        note: `${urls.length} files; ${plain} bytes plain, ${brotli} as brotli`
      }
    ]

    const form: number[] = []
    const list: number[] = []
    for (let round = 0; round < rounds; round++) {
      const took = await fresh(t, page => firstScreens(page, at.baseUrl, person('admin')))
      form.push(took.form)
      list.push(took.list)
    }
    figures.push({ name: 'cold cache: sign-in form is usable', unit: 'ms', values: form, goal: 1_500 })
    figures.push({ name: 'cold cache: sign-in to the first list', unit: 'ms', values: list, goal: 1_500 })

    const admin = await signIn(at.baseUrl, at.tenant.code, 'admin', person('admin').password)
    const idOf = async (list: string) => (await admin.get<{ items: readonly { id: string }[] }>(list)).items[0]?.id ?? ''
    const ids = { order: await idOf('/api/v1/work-orders?limit=1'), connection: await idOf('/api/v1/connections') }

    for (const who of new Set(screens.map(screen => screen.who))) {
      await fresh(t, async page => {
        await page.addInitScript(observe)
        await page.goto(at.baseUrl)
        await fill(page, person(who))
        await page.locator('button[type=submit]').click()
        await page.getByRole('navigation').waitFor()
        await page.route('**/api/v1/**', async route => {
          if (!route.request().url().endsWith('/live')) await new Promise(done => setTimeout(done, 150))
          await route.continue()
        })
        for (const { path, ready } of screens.filter(screen => screen.who === who)) {
          const found = await shifts(
            page,
            at.baseUrl,
            path.replace(/:(\w+)/, (_, kind: keyof typeof ids) => ids[kind]),
            ready
          )
          for (const { value, sources } of found.filter(({ value }) => value >= 0.005)) {
            say(`${path}: ${value.toFixed(3)} by ${sources.join(' | ')}`)
          }
          figures.push({
            name: `layout shift of ${path}`,
            unit: '',
            values: [found.reduce((sum, { value }) => sum + value, 0)],
            goal: 0.1
          })
        }
      })
    }
    return figures
  }
}
