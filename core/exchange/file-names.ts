/** Most bytes of a file name in UTF-8. */
export const mostNameBytes = 200

// Cc control, Cf format (right-to-left override, zero width), Cs lone halves, Co private use, Zl/Zp line separators; U+FFFD stands
// for bytes that were no UTF-8.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\ufffd]/u
const reserved = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i

/**
 * A file name as we store it (NFC), or the reason why it is refused. Names are data and never reach a file system of ours; the rules
 * keep what an ERP gets back usable on its own machine and harmless on a screen.
 */
export function checkName(given: string): { readonly name: string } | { readonly problem: string } {
  const name = given.normalize('NFC')
  if (name === '' || name === '.' || name === '..') return { problem: 'a file name is missing' }
  if (Buffer.byteLength(name) > mostNameBytes) return { problem: `the file name is longer than ${mostNameBytes} bytes` }
  if (/[/\\]|%(2f|5c|00)/i.test(name)) return { problem: 'the file name holds a slash or backslash, or an encoded one' }
  if (unprintable.test(name)) return { problem: 'the file name holds an invisible character' }
  if (/^\s|[\s.]$/.test(name)) return { problem: 'the file name begins with a space, or ends with a space or dot' }
  if (reserved.test(name)) return { problem: 'the file name is reserved by Windows' }
  return { name }
}

/** Names under which clients upload before they rename: never taken as complete by themselves. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith('.') || /\.(tmp|temp|part|partial|filepart|crdownload|upload)$/i.test(name) || name.endsWith('~')
}

const folded = (text: string): string[] => [...text].map(one => one.toUpperCase().toLowerCase())

/**
 * Matches a whole name against a glob of `*` and `?`, without regard to case, as ERPs of both worlds name files. Not by a regular
 * expression: of a glob with many stars that would try every way to share out the name (security check E5).
 */
export function matchesGlob(pattern: string, name: string): boolean {
  const wanted = folded(pattern.normalize('NFC'))
  const given = folded(name)
  let at = 0
  /** Place behind the newest star, and how far into the name that star reaches so far. */
  let star: { readonly behind: number; reached: number } | undefined
  for (let n = 0; n < given.length; ) {
    if (wanted[at] === '*') star = { behind: ++at, reached: n }
    else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[n])) {
      at++
      n++
    } else if (star) {
      at = star.behind
      n = ++star.reached
    } else return false
  }
  return wanted.slice(at).every(one => one === '*')
}

/** Name of the done file that belongs to `name`: `{name}` is the whole name, `{stem}` the name without its last extension. */
export function doneNameOf(template: string, name: string): string {
  const dot = name.lastIndexOf('.')
  return template.replaceAll('{name}', name).replaceAll('{stem}', dot > 0 ? name.slice(0, dot) : name)
}
