import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** Drawing by a software GPU stops everything for a second soon after the start; and pages must be as safe here as at a customer's. */
const unwanted =
  /^--(?:use-gl|use-angle|enable-unsafe-swiftshader|ignore-gpu-blocklist|disable-web-security|allow-running-insecure-content)/

/** A real browser: the one of CHROMIUM_PATH, or the binary that an npm package ships. */
export async function openBrowser(t: Teardown): Promise<Browser> {
  const given = process.env.CHROMIUM_PATH
  const shipped = given === undefined ? (await import('@sparticuz/chromium')).default : undefined
  const executablePath = given ?? (await unpacked(shipped)) ?? ''
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [
      ...(shipped?.args.filter(arg => !unwanted.test(arg)) ?? ['--no-sandbox']),
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run'
    ]
  })
  t.teardown(() => browser.close())
  return browser
}

/** The package unpacks into the folder for temporary files under a fixed name; each user of the machine gets one of their own. */
async function unpacked(shipped: { executablePath(): Promise<string> } | undefined): Promise<string | undefined> {
  const { TMPDIR } = process.env
  const own = join(tmpdir(), `wv-chromium-${process.getuid?.() ?? 'user'}`)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  process.env.TMPDIR = own
  try {
    return await shipped?.executablePath()
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
}
