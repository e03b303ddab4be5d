import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { foreignContent } from '../../adapters/contract/index.ts'
import { commandScan, scannerComplaint } from '../../core/exchange/scanner.ts'
import { callingErp, fileErp, sftpHouse } from '../helpers/erp-side.ts'

/** Beginnings of real files, each as its own program writes it. */
const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')
const latin = (text: string): Buffer => Buffer.from(text, 'latin1')
const tar = Buffer.alloc(1024)
tar.write('orders.csv', 0)
tar.write('ustar', 257)
const windowsProgram = Buffer.alloc(256)
windowsProgram.write('MZ', 0)
windowsProgram.writeUInt32LE(0x80, 0x3c)
windowsProgram.write('PE', 0x80)

const foreign: Readonly<Record<string, readonly [Uint8Array, format: RegExp]>> = {
  'Windows program': [windowsProgram, /program \(Windows/],
  'Linux program': [latin('\x7fELF\x02\x01\x01\0\0\0'), /program \(ELF/],
  'macOS program': [latin('\xcf\xfa\xed\xfe\x07\0\0\x01'), /program \(Mach-O/],
  'Java class': [latin('\xca\xfe\xba\xbe\0\0\0\x41'), /program/],
  'shell script': [latin('#!/bin/sh\necho Article;Description;Unit\n'), /program \(script/],
  shortcut: [latin('L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46'), /shortcut/],
  'web page': [latin('<!DOCTYPE html>\n<html><body>Article;Description;Unit</body></html>'), /web page/],
  'web page of an error': [latin('\xef\xbb\xbf  \r\n<html lang="nl"><head></head></html>'), /web page/],
  'page with a prolog': [latin('<?xml version="1.0"?>\n<!-- x -->\n<html xmlns="http://www.w3.org/1999/xhtml"></html>'), /web page/],
  'picture with script': [latin('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'), /web page/],
  PDF: [latin('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'), /document \(PDF/],
  'PDF behind blanks': [latin('\r\n \n%PDF-1.4\n'), /document \(PDF/],
  'old spreadsheet': [latin('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0'), /Microsoft Office/],
  'rich text': [latin('{\\rtf1\\ansi Article;Description;Unit}'), /RTF/],
  'new spreadsheet': [latin('PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml'), /archive \(ZIP/],
  'empty archive': [Buffer.concat([latin('PK\x05\x06'), Buffer.alloc(18)]), /archive \(ZIP/],
  tar: [tar, /archive \(tar/],
  '7z': [latin('7z\xbc\xaf\x27\x1c\0\x04'), /archive \(7z/],
  RAR: [latin('Rar!\x1a\x07\x01\0'), /archive \(RAR/],
  'packed records': [gzipSync('Article;Description;Unit\nA1;One;PCE\n'), /compressed file \(gzip/],
  bzip2: [latin('BZh91AY&SY\x94$|\x0e'), /bzip2/],
  xz: [latin('\xfd7zXZ\0\0\x04'), /xz/],
  Zstandard: [latin('\x28\xb5\x2f\xfd\x24\x0a'), /Zstandard/],
  PNG: [latin('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), /image \(PNG/],
  JPEG: [latin('\xff\xd8\xff\xe0\0\x10JFIF\0'), /image \(JPEG/],
  GIF: [latin('GIF89a\x01\0\x01\0'), /image \(GIF/],
  film: [latin('\0\0\0\x18ftypmp42\0\0\0\0mp42isom'), /MPEG-4/],
  bitmap: [latin('BM\x46\0\0\0\0\0\0\0\x36\0\0\0'), /image \(BMP/],
  database: [latin('SQLite format 3\0\x10\0'), /database \(SQLite/],
  'virus test': [latin(eicar), /EICAR/],
  'virus test with blanks': [latin(`\xef\xbb\xbf${eicar}\r\n`), /EICAR/]
}

/** Texts that begin like one of them and are none. */
const honest: Readonly<Record<string, string>> = {
  'MZ as a column': 'MZ;Article;Description;Unit\n;A1;One;PCE\n',
  'BM as a column': 'BM;Article;Description;Unit\n;A1;One;PCE\n',
  'RIFF as a column': 'RIFF;Article;Description;Unit\n;A1;One;PCE\n',
  'letters of a film in a column': 'Stofftyp;Article;Description;Unit\n;A1;One;PCE\n',
  'letters of an archive in a row': `${'Remark;Article;Description;Unit\n'.padEnd(257, 'x')}ustar;A1;One;PCE\n`,
  'PK as a column': 'PK;Article;Description;Unit\n;A1;One;PCE\n',
  'a number sign': '#;Article;Description;Unit\n;A1;One;PCE\n',
  'a less-than sign': '<x>;Article;Description;Unit\n;A1;One;PCE\n',
  'the word PDF': 'Article;Description;Unit\nA1;%PDF-1.7;PCE\n'
}

t.test('D10 content versus name', async t => {
  const at = await sftpHouse(t)
  const erp = await fileErp(t, at)

  await t.test('D10: a file that is no text of records is refused whole, with the word for what it is, and kept as it came', async t => {
    let number = 0
    for (const [what, [body, format]] of Object.entries(foreign)) {
      const { delivery, rejects } = await erp.file(`ART_${++number}.csv`, body)
      t.match(delivery, { state: 'rejected', reason: { code: 'delivery_content', detail: format }, rawKept: true }, what)
      t.same([delivery.counts.read, rejects.length], [0, 0], what)
      const raw = await at.call<{ text: string }>('GET', `/api/v1/deliveries/${delivery.id}/raw`, { token: erp.adminToken })
      t.equal(raw.status, 200, what)
      t.equal(raw.headers.get('content-length'), String(body.length), `${what}: the original is kept`)
      t.match(raw.headers.get('content-type'), 'application/octet-stream')
      t.match(raw.headers.get('content-disposition'), /^attachment/)
      t.equal(raw.headers.get('x-content-type-options'), 'nosniff')
    }
    const { items } = await erp.api<{ items: unknown[] }>('GET', '/articles?limit=10')
    t.same(items, [], 'nothing was taken over')
  })

  await t.test('D10: the web service looks too, whatever its Content-Type says', async t => {
    const caller = await callingErp(at, { tenant: await at.newTenant() })
    for (const type of ['application/json', 'text/csv', 'application/xml']) {
      const { delivery } = await caller.post('articles', Buffer.concat([windowsProgram, latin(type)]), { 'content-type': type })
      t.match(delivery, { state: 'rejected', reason: { code: 'delivery_content', detail: /program/ } }, type)
    }
    const packed = await caller.post('articles', gzipSync('{"records":[]}'), { 'content-type': 'application/json' })
    t.match(packed.delivery, { state: 'rejected', reason: { code: 'delivery_content', detail: /gzip/ } })
  })

  await t.test('D10: the sender finds the reason beside the file, and each refusal stands in the journal', async t => {
    const name = (await erp.sftp.names('rejected')).find(one => one.endsWith('.errors.csv')) ?? ''
    t.match((await erp.sftp.get(`rejected/${name}`)).toString(), /delivery_content/)
    const refused = await erp.query(
      `select data from journal.entry where act = 'delivery.import' and data ->> 'state' = 'rejected' and data ->> 'code' = 'delivery_content'`
    )
    t.equal(refused.length, Object.keys(foreign).length)
  })

  await t.test('D10: a file replayed or tried out is looked at again', async t => {
    const { delivery } = await erp.file('ART_900.csv', foreign.PNG?.[0] ?? '')
    const replay = await erp.api<{ id: string }>('POST', `/deliveries/${delivery.id}/replays`, { only: 'all' })
    await erp.work()
    t.match((await erp.result(replay.id)).delivery, { state: 'rejected', reason: { code: 'delivery_content' } })
    const dry = await erp.api('POST', `/connections/${erp.connectionId}/dry-runs`, { deliveryId: delivery.id })
    t.match(dry, { refused: { code: 'delivery_content', detail: /PNG/ } })
  })

  await t.test('D10: text that only begins with the same letters is read', async t => {
    let number = 1000
    for (const [what, body] of Object.entries(honest)) {
      t.equal(foreignContent(latin(body)), undefined, what)
      t.match((await erp.file(`ART_${++number}.csv`, body)).delivery, { state: 'done', counts: { rejected: 0 } }, what)
    }
  })
})

/** A scanner as clamdscan is one: reads standard input, ends with 0, 1 or 2. What it does stands in the file beside it. */
function standInScanner(t: { teardown(fn: () => void): void }) {
  const dir = mkdtempSync(join(tmpdir(), 'wv-scanner-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const program = join(dir, 'scan')
  const behaviour = join(dir, 'behaviour')
  const says = (what: 'works' | 'fails' | 'finds all' | 'finds nothing' | 'reads nothing'): void => writeFileSync(behaviour, what)
  writeFileSync(
    program,
    `#!/bin/sh
case "$(cat ${behaviour})" in
  works) if grep -q -e EICAR-STANDARD -e Wurm; then echo 'stdin: Test.Signature FOUND'; exit 1; fi; exit 0 ;;
  'finds all') cat >/dev/null; echo 'stdin: Test.Everything FOUND'; exit 1 ;;
  'finds nothing') cat >/dev/null; exit 0 ;;
  'reads nothing') echo 'stdin: Test.AtOnce FOUND'; exit 1 ;;
  *) cat >/dev/null; exit 2 ;;
esac
`
  )
  chmodSync(program, 0o755)
  says('works')
  return { command: `${program} --no-summary -`, says }
}

const articles = (description: string): string => `Article;Description;Unit\nA1;${description};PCE\n`

t.test('D10 scanner', async t => {
  const scanner = standInScanner(t)
  const at = await sftpHouse(t, { settings: { WERKVLOER_SCAN_COMMAND: scanner.command } })
  const erp = await fileErp(t, at)

  await t.test("D10: what the operator's scanner finds is refused whole with the name of it; what it passes is read", async t => {
    t.match((await erp.file('ART_1.csv', articles('clean'))).delivery, { state: 'done', counts: { new: 1 } })
    const { delivery } = await erp.file('ART_2.csv', articles('Wurm'))
    t.match(delivery, {
      state: 'rejected',
      reason: { code: 'delivery_infected', detail: /Test\.Signature/ },
      counts: { read: 0 },
      rawKept: true
    })
    const [entry] = await erp.query<{ data: unknown }>(`select data from journal.entry where act = 'delivery.import' and subject_id = $1`, [
      delivery.id
    ])
    t.match(entry, { data: { state: 'rejected', code: 'delivery_infected' } })
    const dry = await erp.api('POST', `/connections/${erp.connectionId}/dry-runs`, { deliveryId: delivery.id })
    t.match(dry, { refused: { code: 'delivery_infected' } })
  })

  await t.test('D10: while the scanner cannot tell, a delivery waits; afterwards it is taken over', async t => {
    scanner.says('fails')
    const { delivery } = await erp.file('ART_3.csv', articles('later'))
    t.match(delivery, { state: 'stored', reason: { code: 'import_transient', detail: /scanner/ }, counts: { read: 0 } })
    scanner.says('works')
    await erp.query('update exchange.delivery set next_attempt_at = null where id = $1', [delivery.id])
    await erp.work()
    t.match((await erp.result(delivery.id)).delivery, { state: 'done', counts: { changed: 1 } })
  })

  await t.test('D10: a large file goes through a scanner that reads nothing of it without a fault', async t => {
    scanner.says('reads nothing')
    const large = `Article;Description;Unit\n${'A1;some text that is long;PCE\n'.repeat(100_000)}`
    t.match((await erp.file('ART_4.csv', large)).delivery, { state: 'rejected', reason: { detail: /Test\.AtOnce/ } })
    scanner.says('works')
  })

  await t.test('D10: the look at the installation tells a scanner that finds nothing, or everything, or is not there', async t => {
    const command = scanner.command.split(' ')
    t.equal(await scannerComplaint(commandScan(command)), undefined)
    scanner.says('finds nothing')
    t.match(await scannerComplaint(commandScan(command)), /does not find/)
    scanner.says('finds all')
    t.match(await scannerComplaint(commandScan(command)), /in a clean file/)
    scanner.says('fails')
    t.match(await scannerComplaint(commandScan(command)), /ended with 2/)
    t.match(await scannerComplaint(commandScan(['/nowhere/scanner'])), /ENOENT/)
  })
})
