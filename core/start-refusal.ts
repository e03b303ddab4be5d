/**
 * A start that was refused for a reason the operator can mend. Each line is a whole sentence: what is wrong and what to do.
 * Whoever catches it prints the lines and ends with code 78 (EX_CONFIG); a stack trace would only hide them.
 */
export class StartRefusal extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[], cause?: unknown) {
    super(lines.join('\n'), cause === undefined ? undefined : { cause })
    this.name = 'StartRefusal'
    this.lines = lines
  }
}

export const startRefusalExitCode = 78
