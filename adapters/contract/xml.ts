import { AdapterError } from './errors.ts'
import { xmlText } from './xml-text.ts'
import { type XmlAttribute, xmlTokens } from './xml-tokens.ts'

/** An element with everything in it. Names are without prefix; the prefix says nothing, the namespace does. */
export interface XmlElement {
  readonly name: string
  /** The namespace's URI; empty when the element is in none. */
  readonly namespace: string
  /** Those without a prefix; declarations of namespaces and attributes of a namespace (`xsi:nil`) are left out. */
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** All character data directly in the element, without the white space around it. */
  readonly text: string
  /** Line on which the element begins, from 1. */
  readonly line: number
}

interface Building extends XmlElement {
  readonly children: Building[]
  text: string
}

/** Of one record with all that is in it. */
const mostCharacters = 8_388_608
const mostElements = 100_000
/** Characters read at once: a limit may be exceeded by at most this before it is noticed. */
const mostAtOnce = 65_536

interface Scope {
  /** The URI of names without a prefix; empty when there is none. */
  readonly plain: string
  readonly prefixed: ReadonlyMap<string, string>
}
/** Namespaces in XML 1.0, 3: `xml` is bound from the start. */
const outermost: Scope = { plain: '', prefixed: new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]) }
const none: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/**
 * Reads XML 1.0 with namespaces and yields every element that is called `record`, wherever it stands, as soon as it is whole; a record
 * in a record belongs to the outer one. Nothing else is kept, so memory does not grow with the file. Refused are: document types, hence
 * all entities but the five of XML; what is cut off or mismatched; elements nested deeper than 64 or with more than 256 attributes; a
 * text, tag or comment of more than a million characters; a record of more than eight million. Nothing is ever fetched.
 * @param bytes UTF-8, or UTF-16 with a byte-order mark, or ISO-8859-1 or windows-1252 when the XML declaration says so
 * @throws AdapterError `payload` with the line
 */
export async function* xmlRecords(bytes: AsyncIterable<Uint8Array>, record: string): AsyncIterable<XmlElement> {
  const done: XmlElement[] = []
  const building: Building[] = []
  const scopes: Scope[] = [outermost]
  let begins = 0
  let elements = 0

  const refuse = (line: number, what: string): never => {
    throw new AdapterError('payload', `The XML cannot be read on line ${line}: ${what}`)
  }
  const uriOf = (scope: Scope, prefix: string, line: number): string =>
    prefix === '' ? scope.plain : (scope.prefixed.get(prefix) ?? refuse(line, `the prefix "${prefix}" belongs to no namespace.`))

  function scopeOf(attributes: readonly XmlAttribute[] | undefined, line: number): Scope {
    let scope = scopes.at(-1) ?? outermost
    for (const { raw, prefix, local, value } of attributes ?? []) {
      if (raw !== 'xmlns' && prefix !== 'xmlns') continue
      if (prefix !== '' && (value === '' || local === 'xmlns' || local === 'xml')) refuse(line, `"${raw}" cannot be declared so.`)
      scope = prefix === '' ? { ...scope, plain: value } : { ...scope, prefixed: new Map(scope.prefixed).set(local, value) }
    }
    return scope
  }

  function plainAttributes(attributes: readonly XmlAttribute[], scope: Scope, line: number): Readonly<Record<string, string>> {
    const plain: Record<string, string> = Object.create(null)
    const qualified = new Set<string>()
    for (const { raw, prefix, local, value } of attributes) {
      if (raw === 'xmlns' || prefix === 'xmlns') continue
      if (prefix === '') plain[local] = value
      else {
        const known = `${uriOf(scope, prefix, line)} ${local}`
        if (qualified.has(known)) refuse(line, `the attribute "${local}" of a namespace stands twice in an element.`)
        qualified.add(known)
      }
    }
    return plain
  }

  const tokens = xmlTokens({
    open({ prefix, local }, attributes, line, at) {
      const scope = scopeOf(attributes, line)
      scopes.push(scope)
      const namespace = uriOf(scope, prefix, line)
      const own = attributes ? plainAttributes(attributes, scope, line) : none
      if (building.length === 0) {
        if (local !== record) return
        begins = at
        elements = 0
      }
      if (++elements > mostElements || at - begins > mostCharacters) {
        refuse(
          line,
          `the ${record} that begins on line ${building[0]?.line ?? line} holds more than ${mostElements} elements or is too long.`
        )
      }
      building.push({ name: local, namespace, attributes: own, children: [], text: '', line })
    },
    text(text) {
      const element = building.at(-1)
      // What the whole text begins with is trimmed in the end; most of it is the indentation of the elements inside.
      if (element) element.text = element.text === '' ? text.trimStart() : element.text + text
    },
    close(line, at) {
      scopes.pop()
      const element = building.pop()
      if (!element) return
      if (at - begins > mostCharacters) refuse(line, `the ${record} that ends here is longer than ${mostCharacters} characters.`)
      element.text = element.text.trimEnd()
      const parent = building.at(-1)
      if (parent) parent.children.push(element)
      else done.push(element)
    }
  })

  for await (const text of xmlText(bytes)) {
    for (let at = 0; at < text.length; at += mostAtOnce) {
      tokens.write(text.slice(at, at + mostAtOnce))
      if (done.length > 0) yield* done.splice(0)
    }
  }
  tokens.end()
}
