import { existsSync, globSync } from 'node:fs'

/** A program that a bench compares with is not on this machine: the bench is skipped, and says so. */
export class Absent extends Error {
  constructor(program: string, debian: string) {
    super(`${program} is missing: this bench compares with it (Debian: ${debian})`)
    this.name = 'Absent'
  }
}

/** Debian's PostgreSQL client programs. What is in the path is a wrapper that takes its time to start. */
export function postgresProgram(name: 'psql' | 'pgbench'): string {
  const found = globSync(`/usr/lib/postgresql/*/bin/${name}`).sort().at(-1)
  if (found === undefined) throw new Absent(name, name === 'psql' ? 'postgresql-client' : 'postgresql')
  return found
}

export function program(path: string, debian: string): string {
  if (!existsSync(path)) throw new Absent(path, debian)
  return path
}
