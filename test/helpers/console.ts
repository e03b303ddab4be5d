import { mkdirSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface ConsoleOptions {
  readonly language?: 'nl' | 'en'
  readonly scheme?: 'light' | 'dark'
  readonly size?: { readonly width: number; readonly height: number }
}

export interface Console {
  readonly page: Page
  readonly context: BrowserContext
  /** What the browser complained about, but for answers that the test provoked: those it prints by itself. */
  problems(): readonly string[]
  /** Signs in through the form. */
  signIn(who: { customer: string; username: string; password: string }): Promise<void>
}

/**
 * A window with cookies, storage and complaints of its own. A tablet in landscape unless told. One browser for each: the binary of the npm
 * package runs in a single process, which a second context disturbs and the closing of one ends.
 */
export async function openConsole(t: Teardown, browser: Browser, baseUrl: string, options: ConsoleOptions = {}): Promise<Console> {
  const { language = 'nl', scheme = 'light', size = { width: 1180, height: 820 } } = options
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, locale: language === 'nl' ? 'nl-NL' : 'en-GB' })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  t.teardown(() => page.close())
  const problems: string[] = []
  page.on('console', message => {
    const provoked = /the server responded with a status of 4\d\d|net::ERR_INTERNET_DISCONNECTED/.test(message.text())
    if (['error', 'warning'].includes(message.type()) && !provoked) problems.push(message.text())
  })
  page.on('pageerror', error => problems.push(error.message))
  return {
    page,
    context,
    problems: () => problems,
    async signIn({ customer, username, password }) {
      await page.goto(baseUrl)
      await page.locator('input[autocomplete=organization]').fill(customer)
      await page.locator('input[autocomplete=username]').fill(username)
      await page.locator('input[autocomplete=current-password]').fill(password)
      await page.locator('button[type=submit]').click()
      await page.getByRole('navigation').waitFor()
    }
  }
}

/** Keeps a picture when WERKVLOER_TEST_SHOTS names a folder. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.WERKVLOER_TEST_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/${name}.png` })
}
