import type { Page } from 'playwright-core'
import t from 'tap'
import { findings } from '../helpers/axe.ts'
import { openBrowser } from '../helpers/browser.ts'
import { shot } from '../helpers/console.ts'
import { atTheFloor, hasScanFocus, type Job, nameOf, openPlant } from '../helpers/floor-screen.ts'

t.test('floor: by keyboard, by finger', async t => {
  const plant = await openPlant(t)
  const sawyer = await plant.api('zagen')
  const jobs = (await sawyer.get<{ items: readonly Job[] }>('/api/v1/jobs?limit=20')).items
  const job = (index: number): Job => {
    const found = jobs[index]
    if (!found) throw new Error('the plant has too few jobs')
    return found
  }
  const now = (one: Job) => sawyer.get<Job>(`/api/v1/jobs/${one.id}`)

  await t.test(
    'floor: start, report with scrap, stop and close go without a pointer, and the scan box has the focus after each',
    async t => {
      const one = job(0)
      const me = await atTheFloor(t, await openBrowser(t), plant, 'zagen', { size: { width: 1440, height: 900 } })
      const { page, zone, running } = me
      const { keyboard } = page
      await me.taps()
      await keyboard.type(nameOf(one).replace(' / ', '-'))
      await keyboard.press('Enter')
      await zone.getByRole('heading', { name: nameOf(one) }).waitFor()
      t.ok(await hasScanFocus(page), 'after opening')
      await keyboard.press('Space')
      await running.getByText(nameOf(one)).waitFor()
      t.ok(await hasScanFocus(page), 'after the start')
      await keyboard.press('+')
      await keyboard.type('1')
      await keyboard.press('Control+Enter')
      await page.getByRole('button', { name: /^Undo/ }).waitFor()
      t.ok(await hasScanFocus(page), 'after a report')
      t.match(await now(one), { good: '1', scrap: '0' })
      await keyboard.press('+')
      await keyboard.type('1')
      await keyboard.press('Escape')
      t.ok(await hasScanFocus(page), 'Esc leaves the quantity')
      t.ok(await zone.isVisible())
      await keyboard.press('-')
      await keyboard.type('1')
      await keyboard.press('Control+Enter')
      await zone.getByText('Choose why it is scrap.').waitFor()
      // The focus went to the reasons.
      await keyboard.press('Space')
      await keyboard.press('Control+Enter')
      await zone.getByText('1 PCE scrap').waitFor()
      t.ok(await hasScanFocus(page), 'after a report with scrap')
      t.match(await now(one), { good: '2', scrap: '1', status: 'started' })
      await keyboard.press('?')
      await page.getByRole('dialog').getByText('Report so far, from a quantity').waitFor()
      await shot(page, 'hands-keys')
      await keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      t.ok(await hasScanFocus(page), 'after the list of keys')
      await keyboard.press('Space')
      await running.getByText('No clock runs').waitFor()
      await keyboard.press('+')
      await keyboard.press('Enter')
      await zone.getByText('This job is completed.').waitFor()
      t.ok(await hasScanFocus(page), 'after completing')
      await keyboard.press('Escape')
      await page.getByText('No job in hand').waitFor()
      t.ok(await hasScanFocus(page), 'after closing')
      t.equal(await me.taps(), 0, 'no pointer was used')
      t.same(me.problems(), [])
    }
  )

  for (const { language, username, size, scheme, index } of [
    { language: 'en', username: 'lead', size: { width: 1180, height: 820 }, scheme: 'light', index: 1 },
    { language: 'nl', username: 'lead', size: { width: 390, height: 844 }, scheme: 'dark', index: 2 },
    { language: 'nl', username: 'zagen', size: { width: 1440, height: 900 }, scheme: 'light', index: 3 }
  ] as const) {
    const what = `${size.width} px wide in ${language}, ${scheme}`
    await t.test(`floor: ${what}: every button is at least 44 px, in sight, and not cut off`, async t => {
      const one = job(index)
      const me = await atTheFloor(t, await openBrowser(t), plant, username, { language, size, scheme })
      const { page, zone, list, running, line, say } = me
      const phone = size.width < 700
      const look = async (name: string) => {
        await page.evaluate(
          'Promise.all(document.getAnimations().filter(a => a.effect.getTiming().iterations !== Infinity).map(a => a.finished.catch(() => 0)))'
        )
        await shot(page, `hands-${size.width}-${language}-${name}`)
        t.strictSame(await ill(page), [], name)
      }
      const show = (key: string) =>
        phone &&
        page
          .getByRole('radiogroup', { name: say('floor.zones') })
          .getByText(say(key), { exact: true })
          .click()
      await list.getByRole('button', { name: say('floor.startJob').replace('{{job}}', nameOf(one)) }).click()
      await line.getByRole('button', { name: new RegExp(`^${say('floor.undo').split(' ')[0]}`) }).waitFor()
      await look('list')
      await show('floor.runningShort')
      await running.getByText(nameOf(one)).waitFor()
      await look('running')
      await show('floor.list')
      await me.open(one)
      await zone.getByRole('button', { name: say('floor.more').replace('{{what}}', say('quantity.scrap')) }).click()
      await zone.getByRole('button', { name: say('floor.less').replace('{{what}}', say('quantity.good')) }).click()
      await zone.getByRole('button', { name: say('floor.withRework') }).click()
      await zone.getByRole('radio', { name: new RegExp(say('floor.short.lost')) }).waitFor()
      await look('job')
      t.same(await findings(page), [])
      await zone.getByText('Kras of deuk').click()
      await zone.getByRole('radio', { name: new RegExp(say('floor.short.lost')) }).click()
      await zone.getByRole('button', { name: say('floor.complete.lost') }).click()
      await zone.getByText(say('floor.ended.completed')).waitFor()
      await look('completed')
      await line.getByRole('button', { name: new RegExp(`^${say('floor.undo').split(' ')[0]}`) }).click()
      await line.getByRole('button', { name: say('floor.restartJob').replace('{{job}}', nameOf(one)) }).waitFor()
      await look('stopped')
      t.same(await findings(page), [])
      await zone.getByRole('button', { name: say('floor.complete'), exact: true }).click()
      await zone.getByText(say('floor.ended.completed')).waitFor()
      await zone.getByRole('button', { name: say('reopen.job').replace('{{job}}', nameOf(one)) }).click()
      await page
        .getByRole('dialog')
        .getByRole('textbox', { name: say('reopen.reason') })
        .waitFor()
      await look('reopen')
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      t.same(me.problems(), [])
    })
  }
})

/** Buttons that are too small, stick out, or have a text that is cut off; and a page that scrolls sideways. */
const ill = (page: Page): Promise<readonly string[]> =>
  page.evaluate(`(() => {
  const found = []
  const inView = one => {
    const box = one.getBoundingClientRect()
    let scrolling = one.parentElement
    while (scrolling && getComputedStyle(scrolling).overflowY !== 'auto') scrolling = scrolling.parentElement
    const frame = scrolling?.getBoundingClientRect()
    return box.width > 0 && (!frame || (box.top >= frame.top && box.bottom <= frame.bottom))
  }
  const wide = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth > wide) found.push('the page scrolls sideways')
  const targets = [...document.querySelectorAll('main button, header button, [role=dialog] button, main a, main input[type=radio]')]
  for (const target of targets) {
    const shown = target.matches('input') ? target.labels[0] : target
    const box = shown.getBoundingClientRect()
    if (box.width === 0 || box.height === 0) continue
    const name = (target.getAttribute('aria-label') ?? shown.textContent).trim().slice(0, 40)
    if (box.height < 43.9 || box.width < 43.9) found.push(name + ': ' + Math.round(box.width) + ' x ' + Math.round(box.height))
    if (box.left < 0 || box.right > wide + 0.5) found.push(name + ': sticks out')
    for (const part of [shown, ...shown.querySelectorAll('*')]) {
      const { overflowX, textOverflow } = getComputedStyle(part)
      if (overflowX !== 'visible' && textOverflow !== 'ellipsis' && part.scrollWidth > part.clientWidth + 1) found.push(name + ': cut off')
    }
  }
  const shown = targets.filter(one => one.matches('main button, main a') && one.checkVisibility({ visibilityProperty: true }) && inView(one))
  for (const [i, one] of shown.entries()) {
    for (const other of shown.slice(i + 1)) {
      const a = one.getBoundingClientRect(), b = other.getBoundingClientRect()
      const apart = a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1
      if (!apart && !one.contains(other) && !other.contains(one)) found.push(one.textContent + ' lies over ' + other.textContent)
    }
  }
  return [...new Set(found)]
})()`)
