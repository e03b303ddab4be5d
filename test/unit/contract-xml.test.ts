import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import t from 'tap'
import { AdapterError, type XmlElement, xmlRecords } from '../../adapters/contract/index.ts'

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const read = (xml: string | Uint8Array, record = 'r', size = 1_000): Promise<XmlElement[]> =>
  Array.fromAsync(xmlRecords(inPieces(typeof xml === 'string' ? Buffer.from(xml, 'utf8') : xml, size), record))
const refusal = async (xml: string | Uint8Array, size?: number): Promise<string> =>
  read(xml, 'r', size).then(
    () => 'nothing was refused',
    error => (error instanceof AdapterError && error.cls === 'payload' ? error.message : `${error}`)
  )

t.test('xml: records come with namespace, attributes, children, text and line, wherever the bytes are cut', async t => {
  const xml = `\ufeff<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- made by an ERP --><b:a xmlns:b="urn:b" xmlns="urn:d">\n<r id="1" b:x="no">é€😀 &amp; &#x41;&#66;<![CDATA[<raw>&amp;]]>\n <b:c n='a&quot;\tb'/></r>
<other><r xmlns="">two<r>inner</r></r></other></b:a><?done now?>\n`
  for (const size of [1, 2, 3, 7, 100, 10_000]) {
    const [first, second, ...more] = await read(xml, 'r', size)
    t.equal(more.length, 0)
    t.match(first, { name: 'r', namespace: 'urn:d', attributes: { id: '1' }, text: 'é€😀 & AB<raw>&amp;', line: 3 }, `${size}`)
    t.match(first?.children, [{ name: 'c', namespace: 'urn:b', attributes: { n: 'a" b' }, children: [], text: '', line: 4 }])
    t.match(second, { namespace: '', text: 'two', line: 5 })
    t.match(second?.children, [{ name: 'r', text: 'inner' }])
  }
})

t.test('xml: UTF-16 with a mark and single-byte encodings that are declared are read, others refused', async t => {
  const marked = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from('<?xml version="1.0" encoding="UTF-16"?><r>é</r>', 'utf16le')])
  t.match(await read(marked, 'r', 3), [{ text: 'é' }])
  t.match(await read(Buffer.from('<?xml version="1.0" encoding="windows-1252"?><r>\x80\xe9</r>', 'latin1')), [{ text: '€é' }])
  t.match(await refusal('<?xml version="1.0" encoding="UTF-7"?><r/>'), /declares the encoding "utf-7"/)
  t.match(await refusal(Buffer.from('<r>\xe9</r>', 'latin1')), /bytes that are not utf-8/)
  t.match(await refusal(Buffer.from('<r/>', 'utf16le')), /does not have, such as a zero byte/)
})

t.test('D6 xml: what attackers send is refused with its line, however it is cut', async t => {
  const hostile: readonly (readonly [string, RegExp])[] = [
    ['<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', /line 1: it has a document type declaration/],
    ['<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1/p"> %p;]><r/>', /DOCTYPE/],
    ['<?xml version="1.0"?>\n<!DOCTYPE r>\n<r/>', /line 2: .*DOCTYPE/],
    ['<r>\n&x;</r>', /an "&" stands for nothing that XML knows/],
    ['<r>a & b</r>', /"&amp;"/],
    ['<r>&#0;</r>', /"&"/],
    ['<r>&#xD800;</r>', /"&"/],
    ['<r>&#4294967295;</r>', /"&"/],
    ['<r>&constructor;</r>', /"&"/],
    ['<r a="&lt" />', /"&"/],
    ['<a>'.repeat(200_000), /nested deeper than 64/],
    [`<r ${Array.from({ length: 300 }, (_, n) => `a${n}="1"`).join(' ')}/>`, /more than 256 attributes/],
    [`<r>${'x'.repeat(1_200_000)}</r>`, /longer than a million characters/],
    [`<r a="${'x'.repeat(1_200_000)}"/>`, /longer than a million characters/],
    [`<!--${'x'.repeat(1_200_000)}--><r/>`, /longer than a million characters/],
    [`<a><r>${'<b/>'.repeat(100_001)}</r></a>`, /more than 100000 elements/],
    [`<r>${`<b>${'x'.repeat(900_000)}</b>`.repeat(10)}</r>`, /longer than 8388608 characters/],
    ['<r a="1" a="2"/>', /stands twice/],
    ['<r xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>', /stands twice/],
    ['<p:r/>', /the prefix "p" belongs to no namespace/],
    ['<r><b></r></b>', /<\/r> ends <b>/],
    ['<r><b>', /cut off/],
    ['<r>', /cut off/],
    ['<r/', /cut off/],
    ['<r/>rest', /text outside/],
    ['<r/><r/>', /second outermost/],
    ['', /no element/],
    ['   \n', /no element/],
    ['<r><!-- a -- b --></r>', /"--" stands in a comment/],
    ['<r>]]></r>', /"\]\]&gt;"/],
    ['<r a=1/>', /cannot be read/],
    ['<r a="<"/>', /cannot be read/],
    ['<r a="1"b="2"/>', /cannot be read/],
    ['<1r/>', /is no name/],
    ['<r><?xml version="1.0"?></r>', /elsewhere than at the very beginning/],
    ['<?xml version="1.1"?><r/>', /another version/],
    ['<r>\u0001</r>', /characters that XML does not have/],
    ['<r><!ELEMENT a></r>', /begins nothing that XML knows/]
  ]
  for (const [xml, expected] of hostile) {
    for (const size of xml.length > 2_000 ? [65_536] : [1, 3, 1_000]) {
      t.match(await refusal(xml, size), expected, xml.slice(0, 80))
    }
  }
})

/** The same document as saxes reads it, a parser that is slower and nobody here wrote; undefined when it refuses. */
function asSaxes(xml: string): unknown[] | undefined {
  const parser = new SaxesParser({ xmlns: true })
  const seen: unknown[] = []
  let bad = false
  const add = (text: string) => {
    const last = seen.at(-1)
    if (typeof last === 'string') seen[seen.length - 1] = last + text
    else seen.push(text)
  }
  parser.on('error', () => {
    bad = true
  })
  parser.on('doctype', () => {
    bad = true
  })
  parser.on('opentag', tag => {
    const attributes = Object.values(tag.attributes).filter(({ prefix, name }) => prefix === '' && name !== 'xmlns')
    seen.push({ name: tag.local, namespace: tag.uri, attributes: attributes.map(({ local, value }) => [local, value]) })
  })
  parser.on('text', add)
  parser.on('cdata', add)
  parser.on('closetag', () => seen.push(null))
  parser.write(xml).close()
  return bad ? undefined : seen
}

/** The records of ours in the same shape: structure and attributes; text is compared by its characters, since ours joins what stands around children. */
function asOurs(elements: readonly XmlElement[]): unknown[] {
  return elements.flatMap(({ name, namespace, attributes, children }) => [
    // saxes takes the spaces around a namespace away, XML does not.
    { name, namespace: namespace.trim(), attributes: Object.entries(attributes) },
    ...asOurs(children),
    null
  ])
}
const structure = (seen: readonly unknown[]) => seen.filter(one => typeof one !== 'string')
const words = (elements: readonly XmlElement[]): string => elements.map(({ text, children }) => text + words(children)).join('')
const letters = (text: string): string => [...text.replace(/\s/g, '')].sort().join('')

t.test('xml: 20,000 documents made of pieces, whole and damaged, are read or refused exactly as an independent parser does', async t => {
  const pieces = [
    '<r>',
    '</r>',
    '<a>',
    '</a>',
    '<a/>',
    '<p:b xmlns:p="urn:p">',
    '</p:b>',
    '<r a="1" b=\'2"\'>',
    '<r a = "x\ty"\n/>',
    '<a xmlns="urn:x"/>',
    'text',
    ' \r\n',
    '&amp;',
    '&#65;',
    '&lt',
    '<![CDATA[<&]]>',
    '<!-- c -->',
    '<!-->',
    '<?pi x?>',
    '<?pi?>',
    ']]',
    '>',
    '<',
    '"',
    "'",
    '=',
    '/',
    'é'
  ]
  let accepted = 0
  const whole = fc.letrec<{ node: string; inner: string }>(tie => ({
    inner: fc.array(tie('node'), { maxLength: 4, depthIdentifier: 'xml' }).map(all => all.join('')),
    node: fc.oneof(
      { depthIdentifier: 'xml' },
      fc.constantFrom('text', ' ', '&amp;', '<a/>', '<![CDATA[<&]]>', '<!-- c -->', '<?pi x?>', '<a x="1" y=\'"\'/>', 'é'),
      tie('inner').map(inner => `<a>${inner}</a>`),
      tie('inner').map(inner => `<p:b xmlns:p="urn:p" p:q="1" z="&lt;">${inner}</p:b>`),
      tie('inner').map(inner => `<c xmlns="urn:x">${inner}</c >`)
    )
  }))
  const damaged = fc.tuple(whole.inner, fc.nat(), fc.nat({ max: 3 }), fc.constantFrom('', ...pieces)).map(([inner, place, length, put]) => {
    const xml = `<r>${inner}</r>`
    const at = place % xml.length
    return xml.slice(0, at) + put + xml.slice(at + length)
  })
  const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map(all => `<r>${all.join('')}</r>`)
  const check = async (xml: string, size: number) => {
    const expected = asSaxes(xml)
    const ours = await read(xml, 'r', size).catch((error: unknown) => {
      if (error instanceof AdapterError) return undefined
      throw error
    })
    if ((expected === undefined) !== (ours === undefined))
      throw new Error(`${expected ? 'ours refuses' : 'ours accepts'} ${JSON.stringify(xml)}`)
    if (!expected || !ours) return
    accepted++
    if (ours.length !== 1) return
    t.same(asOurs(ours), structure(expected), xml)
    const text = expected.filter(one => typeof one === 'string')
    t.equal(letters(words(ours)), letters(text.join('')), xml)
  }
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        damaged,
        soup,
        whole.inner.map(inner => `<r>${inner}</r>`)
      ),
      fc.constantFrom(1, 3, 1_000),
      check
    ),
    { numRuns: 20_000 }
  )
  t.ok(accepted > 5_000, `${accepted} of them were well-formed`)
})
