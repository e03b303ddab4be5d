import { readFileSync } from 'node:fs'
import type { Command, CommandHouse } from './core/commands/command.ts'
import { docs } from './core/commands/docs.ts'
import { doctor } from './core/commands/doctor.ts'
import { migrate } from './core/commands/migrate.ts'
import { serve } from './core/commands/serve.ts'
import { tenant } from './core/commands/tenant.ts'
import { verifyJournalCommand } from './core/commands/verify-journal.ts'
import { Refusal } from './core/errors.ts'
import { print, printError } from './core/print.ts'
import { StartRefusal, startRefusalExitCode } from './core/start-refusal.ts'
import { demo, demoBeside } from './demo/index.ts'
import { parts } from './parts.ts'

const version = (JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }).version
const commands: readonly Command[] = [serve, migrate, tenant, doctor, verifyJournalCommand, demo, docs]
const house: CommandHouse = { parts, version, demo: demoBeside }

function help(): void {
  print("Werkvloer: between a manufacturer's ERP and its shop floor.\n")
  print('  npm start                   install, start PostgreSQL, a demo factory, web on 8080, SFTP on 2222')
  print('  npm start -- --only web     one part')
  print('  npm run demo                the main job as a script to watch')
  print('  npm test                    all checks\n')
  print('Commands (node_modules/.bin/node main.ts <command>):')
  for (const command of commands) {
    print(`  ${command.name.padEnd(15)} ${command.summary}`)
    for (const usage of command.usage) print(`${' '.repeat(20)}${usage}`)
  }
  print('\nSettings are WERKVLOER_* variables; the most used:')
  print('  WERKVLOER_HTTP_PORT 8080, WERKVLOER_SFTP_PORT 2222, WERKVLOER_DATA ./data, WERKVLOER_DATABASE_URL (absent: embedded)')
  print('All of them: docs/reference/config.md')
}

async function run(argv: readonly string[]): Promise<number> {
  const [name = 'serve', ...args] = argv
  if (args.includes('--help') || args.includes('-h') || name === 'help' || name === '--help' || name === '-h') {
    help()
    return 0
  }
  const command = commands.find(c => c.name === name)
  if (!command) throw new StartRefusal([`"${name}" is no command; write one of: ${commands.map(c => c.name).join(', ')}.`])
  return command.run(args, house)
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 7)) {
  printError(`Werkvloer runs on Node 24.7 or newer; this is ${process.versions.node}. Start it with "npm start", which brings its own.`)
  process.exit(startRefusalExitCode)
}

// Whoever read our output may be gone (a closed pipe): that is no reason to stop a server.
process.stdout.on('error', () => {})

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  if (error instanceof StartRefusal) {
    for (const line of error.lines) printError(line)
    process.exitCode = startRefusalExitCode
  } else if (error instanceof Refusal) {
    printError(error.detail)
    process.exitCode = 1
  } else {
    printError(error instanceof Error ? (error.stack ?? error.message) : String(error))
    for (let cause = (error as Error).cause; cause instanceof Error; cause = cause.cause)
      printError(`caused by: ${cause.stack ?? cause.message}`)
    process.exitCode = 1
  }
}
// What a command leaves open (a keep-alive socket, a timer) must not hold the process.
setTimeout(() => process.exit(), 500).unref()
