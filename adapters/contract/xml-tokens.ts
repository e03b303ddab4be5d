import { AdapterError } from './errors.ts'
import { nameOf, withoutReferences, type XmlName } from './xml-text.ts'

/** Told in the order of the document. `line` is from 1; `at` is how many characters stand before, for limits. */
export interface XmlEvents {
  open(name: XmlName, attributes: readonly XmlAttribute[] | undefined, line: number, at: number): void
  text(text: string): void
  close(line: number, at: number): void
}
export interface XmlAttribute extends XmlName {
  readonly raw: string
  readonly value: string
}

/** A name that was read and found good, with its tags as they mostly stand. */
interface Known extends XmlName {
  readonly raw: string
  readonly opens: string
  readonly closes: string
  /** What was opened after it the last time: records are alike, so mostly what comes next. */
  next?: Known
}

const mostDepth = 64
const mostAttributes = 256
/** Characters of one run of text, one tag, one comment. */
const mostRun = 1_048_576
/** Names are checked once; a file with more different ones than this is not helped by remembering them. */
const mostNames = 10_000

const declaration =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"[\w.-]+"|'[\w.-]+'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>$/
const attribute = /[ \t\n]+([^ \t\n=<>"'/&]+)[ \t\n]*=[ \t\n]*(?:"([^<"]*)"|'([^<']*)')/y
const blank = /^[ \t\n]*$/
const quote = /["']/g
const isBlank = (char: number): boolean => char === 0x20 || char === 0x09 || char === 0x0a

/** By hand: a pattern that looks for the end would begin anew at every blank of a text that is full of them (security check E5). */
function withoutEndBlanks(text: string): string {
  let end = text.length
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--
  return end === text.length ? text : text.slice(0, end)
}

/** The `>` that ends the tag, past those in quotes; below zero when it has not come yet. */
function endOfTag(text: string, from: number): number {
  for (let at = from; ; ) {
    const end = text.indexOf('>', at)
    // Most tags have no attribute, hence no quote that matters.
    if (end < 0 || !text.slice(at, end).includes('=')) return end
    quote.lastIndex = at
    const opening = quote.exec(text)
    if (opening === null || opening.index > end) return end
    const closing = text.indexOf(opening[0], opening.index + 1)
    if (closing < 0) return -1
    at = closing + 1
  }
}

/**
 * The tokens of an XML 1.0 document that comes in pieces: well-formed or refused, without document types, hence without entities but the
 * five. What it searches for it searches with `indexOf`, a tag at a time, and it tries the tag that came in this place before: that is
 * what makes it fast.
 * @throws AdapterError `payload` with the line
 */
export function xmlTokens(events: XmlEvents): { write(piece: string): void; end(): void } {
  let text = ''
  /** Where reading goes on, and how far it was searched in vain for the end of what begins there. */
  let at = 0
  let before = 0
  let line = 1
  /** Where the line ends, as far as the text has come. */
  let lineEnd = Number.POSITIVE_INFINITY
  let rootSeen = false
  const open: Known[] = []
  let names = new Map<string, Known>()
  let latest: Known | undefined

  const endOfLine = (from: number): number => {
    const found = text.indexOf('\n', from)
    return found < 0 ? Number.POSITIVE_INFINITY : found
  }
  function lineNow(): number {
    for (; lineEnd < at; line++) lineEnd = endOfLine(lineEnd + 1)
    return line
  }
  const refuse = (what: string): never => {
    throw new AdapterError('payload', `The XML cannot be read on line ${lineNow()}: ${what}`)
  }
  const shown = (raw: string): string => (raw.length > 60 ? `${raw.slice(0, 60)}…` : raw)
  function checked(raw: string): Known {
    const known = names.get(raw)
    if (known) return known
    const name: Known = { ...(nameOf(raw) ?? refuse(`"${shown(raw)}" is no name.`)), raw, opens: `<${raw}>`, closes: `</${raw}>` }
    if (names.size >= mostNames) names = new Map()
    names.set(raw, name)
    return name
  }
  const plain = (raw: string): string =>
    withoutReferences(raw) ?? refuse('an "&" stands for nothing that XML knows; written as text it is "&amp;".')

  function take(run: string): void {
    if (open.length === 0) {
      if (!blank.test(run)) refuse('there is text outside the outermost element.')
      return
    }
    if (run.includes('>') && run.includes(']]>')) refuse('"]]>" stands in a text; there it is written "]]&gt;".')
    events.text(plain(run))
  }

  function attributesOf(tag: string, from: number): XmlAttribute[] {
    const found: XmlAttribute[] = []
    attribute.lastIndex = from
    let read = from
    for (let match = attribute.exec(tag); match; match = attribute.exec(tag)) {
      read = attribute.lastIndex
      const [, raw = '', double, single = ''] = match
      if (found.length >= mostAttributes) refuse(`an element has more than ${mostAttributes} attributes.`)
      if (found.some(other => other.raw === raw)) refuse(`the attribute "${shown(raw)}" stands twice in an element.`)
      found.push({ ...checked(raw), raw, value: plain((double ?? single).replace(/[\n\t]/g, ' ')) })
    }
    if (!blank.test(tag.slice(read))) refuse(`the tag <${shown(tag)}> cannot be read.`)
    return found
  }

  function openTag(tag: string): void {
    const alone = tag.endsWith('/')
    const whole = alone ? tag.slice(0, -1) : tag
    const space = whole.includes('=') ? whole.search(/[ \t\n]/) : -1
    const raw = space < 0 ? withoutEndBlanks(whole) : whole.slice(0, space)
    const name = checked(raw)
    opened(name, space < 0 ? undefined : attributesOf(whole, space))
    if (alone) closeTag(raw)
  }

  function opened(name: Known, attributes: readonly XmlAttribute[] | undefined): void {
    if (open.length === 0 && rootSeen) refuse('there is a second outermost element.')
    if (open.length >= mostDepth) refuse(`elements are nested deeper than ${mostDepth}.`)
    rootSeen = true
    open.push(name)
    if (latest) latest.next = name
    latest = name
    events.open(name, attributes, lineNow(), before + at)
  }

  function closeTag(raw: string): void {
    const expected = open.pop()?.raw
    if (expected !== raw) refuse(`</${shown(raw)}> ends ${expected === undefined ? 'nothing' : `<${shown(expected)}>`}.`)
    events.close(lineNow(), before + at)
  }

  /** Reads what begins with "<" at `at`. @returns where it ends; below zero when that has not come yet */
  function markup(): number {
    const kind = text.charCodeAt(at + 1)
    if (kind === 0x2f) {
      const expected = open.at(-1)
      if (expected && text.startsWith(expected.closes, at)) {
        closeTag(expected.raw)
        return at + expected.closes.length
      }
      const end = text.indexOf('>', at)
      if (end >= 0) closeTag(withoutEndBlanks(text.slice(at + 2, end)))
      return end + 1 || -1
    }
    if (kind === 0x3f) return instruction()
    if (kind === 0x21) return declared()
    const likely = latest?.next
    if (likely && text.startsWith(likely.opens, at)) {
      opened(likely, undefined)
      return at + likely.opens.length
    }
    const end = endOfTag(text, at + 1)
    if (end >= 0) openTag(text.slice(at + 1, end))
    return end + 1 || -1
  }

  function instruction(): number {
    const end = text.indexOf('?>', at + 2)
    if (end < 0) return -1
    const whole = text.slice(at, end + 2)
    const target = /^<\?([^ \t\n?]+)(?=[ \t\n]|\?>$)/.exec(whole)?.[1] ?? ''
    if (target.toLowerCase() === 'xml') {
      if (before + at > 0) refuse('an XML declaration stands elsewhere than at the very beginning.')
      if (!declaration.test(whole)) refuse('the XML declaration cannot be read, or is of another version than 1.0.')
    } else if (checked(target).prefix !== '') refuse(`"${shown(target)}" is no name of a processing instruction.`)
    return end + 2
  }

  function declared(): number {
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('--', at + 4)
      if (end < 0 || end + 2 >= text.length) return -1
      if (text[end + 2] !== '>') refuse('"--" stands in a comment.')
      return end + 3
    }
    if (text.startsWith('<![CDATA[', at)) {
      const end = text.indexOf(']]>', at + 9)
      if (end < 0) return -1
      if (open.length === 0) refuse('there is text outside the outermost element.')
      events.text(text.slice(at + 9, end))
      return end + 3
    }
    if (text.startsWith('<!DOCTYPE', at)) return refuse('it has a document type declaration (DOCTYPE), which is not read. Leave it out.')
    const begun = text.slice(at, at + 9)
    if (['<!--', '<![CDATA[', '<!DOCTYPE'].some(known => known.startsWith(begun))) return -1
    return refuse(`"${begun}" begins nothing that XML knows.`)
  }

  return {
    write(piece) {
      lineNow()
      before += at
      const searched = text.length - at
      text = text.slice(at) + piece
      lineEnd = Number.isFinite(lineEnd) ? lineEnd - at : endOfLine(searched)
      at = 0
      while (at < text.length) {
        const lead = text.charCodeAt(at) === 0x3c ? at : text.indexOf('<', at)
        if (lead < 0) break
        if (lead > at) {
          take(text.slice(at, lead))
          at = lead
        }
        const end = at + 1 < text.length ? markup() : -1
        if (end < 0) break
        at = end
      }
      if (text.length - at > mostRun) refuse('a text, tag or comment is longer than a million characters.')
    },
    end() {
      const rest = text.slice(at)
      if (rest.startsWith('<') || open.length > 0) refuse('it ends in the middle: the file is cut off.')
      if (!blank.test(rest)) refuse('there is text outside the outermost element.')
      if (!rootSeen) refuse('there is no element in it.')
    }
  }
}
