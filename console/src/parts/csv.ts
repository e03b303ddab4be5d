/**
 * Where a spreadsheet begins to see a formula: at the start of a cell, behind blanks, quotes and what cannot be seen, in both widths. A
 * spreadsheet of another country cuts at another separator, so also behind each of those and behind a line break.
 */
const formula = /(?<=^|[,;|\t\r\n])(?=(?:(?![\t\r\n])[\s\p{C}"])*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\0])/gu

/** Cells in quotes where needed; one that a spreadsheet would take for a formula gets an apostrophe before it. */
const cell = (value: string): string => {
  const harmless = value.replace(formula, "'")
  return /[",;|\t\r\n]/.test(harmless) || harmless !== harmless.trim() ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** With a byte-order mark, so that a spreadsheet reads it as UTF-8. */
export const csvOf = (rows: readonly (readonly string[])[]): Blob =>
  new Blob(['\ufeff', rows.map(row => row.map(cell).join(';')).join('\r\n'), '\r\n'], { type: 'text/csv' })
