/** Output of commands for people. The server itself never prints: it logs. */
export const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Problems of commands, on standard error. */
export const printError = (line: string): void => {
  process.stderr.write(`${line}\n`)
}
