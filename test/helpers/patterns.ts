import { productSources, type Source } from './sources.ts'

export interface Pattern {
  readonly where: string
  readonly regex: RegExp
  /** Longest text that reaches it, where a schema says so. */
  readonly most?: number
}

/** What may stand before a `/` that divides; before any other one a pattern begins. */
const dividing = /(?:[\w$)\]}]|\+\+|--)\s*$/
const wordsBefore = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)\s*$/

/** Every literal pattern of a source: strings, templates and comments are walked over, and code inside templates is walked through. */
export function patternsIn({ file, text }: Source): Pattern[] {
  const found: Pattern[] = []
  /** Brackets open inside each `${`. */
  const depths: number[] = []
  let at = 0
  let line = 1
  let before = ''
  const quoted = (quote: string): void => {
    for (at++; at < text.length && text[at] !== quote; at++) if (text[at] === '\\') at++
    before = '"'
  }
  const template = (): void => {
    for (at++; at < text.length && text[at] !== '`'; at++) {
      if (text[at] === '\\') at++
      else if (text[at] === '$' && text[at + 1] === '{') {
        at++
        depths.push(0)
        before = ''
        return
      }
    }
    before = '"'
  }
  const pattern = (): void => {
    const start = at
    let inClass = false
    for (at++; at < text.length; at++) {
      const one = text[at]
      if (one === '\\') at++
      else if (one === '[') inClass = true
      else if (one === ']') inClass = false
      else if (one === '/' && !inClass) break
      else if (one === '\n') throw new Error(`${file}:${line}: a pattern without an end`)
    }
    const body = text.slice(start + 1, at)
    const [flags = ''] = /^[a-z]*/.exec(text.slice(at + 1)) ?? []
    // A sticky one looks at one place only.
    const source = flags.includes('y') ? `^(?:${body})` : body
    found.push({ where: `${file}:${line}`, regex: new RegExp(source, flags.replace(/[gy]/g, '')) })
    at += flags.length
    before = '"'
  }
  for (; at < text.length; at++) {
    const one = text[at] ?? ''
    const two = text.slice(at, at + 2)
    if (one === '\n') line++
    if (two === '//') at = text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at) - 1
    else if (two === '/*') {
      const end = text.indexOf('*/', at + 2)
      line += text.slice(at, end).split('\n').length - 1
      at = end + 1
    } else if (one === "'" || one === '"') quoted(one)
    else if (one === '`') {
      const from = at
      template()
      line += text.slice(from, at).split('\n').length - 1
    } else if (one === '/' && (!dividing.test(before) || wordsBefore.test(before)) && before !== '"') pattern()
    else {
      if (one === '{' && depths.length > 0) depths.push((depths.pop() ?? 0) + 1)
      if (one === '}' && depths.length > 0) {
        const depth = depths.pop() ?? 0
        if (depth === 0) {
          // The template goes on where the code in it ends.
          const from = at
          template()
          line += text.slice(from, at).split('\n').length - 1
          continue
        }
        depths.push(depth - 1)
      }
      before =
        /\s/.test(one) && before !== '"'
          ? before + one
          : before === '"' && /\s/.test(one)
            ? '"'
            : (before === '"' ? '' : before).slice(-30) + one
    }
  }
  return found
}

export const patternsOfProduct = (): Pattern[] => productSources().flatMap(patternsIn)

/** Every `pattern` of a schema, however deep. */
export function patternsOfSchema(schema: unknown, where: string): Pattern[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { pattern, maxLength } = schema as { pattern?: unknown; maxLength?: unknown }
  const own: Pattern[] =
    typeof pattern === 'string'
      ? [{ where, regex: new RegExp(pattern, 'u'), ...(typeof maxLength === 'number' ? { most: maxLength } : {}) }]
      : []
  return [...own, ...Object.entries(schema).flatMap(([name, inner]) => patternsOfSchema(inner, `${where}/${name}`))]
}
