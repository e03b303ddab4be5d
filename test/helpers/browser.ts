import { type Browser, chromium } from 'playwright-core'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** A real browser: the one of CHROMIUM_PATH, or the binary that an npm package ships. */
export async function openBrowser(t: Teardown): Promise<Browser> {
  const given = process.env.CHROMIUM_PATH
  const shipped = given === undefined ? (await import('@sparticuz/chromium')).default : undefined
  const executablePath = given ?? (await shipped?.executablePath()) ?? ''
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [
      ...(shipped?.args ?? ['--no-sandbox']),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run'
    ]
  })
  t.teardown(() => browser.close())
  return browser
}
