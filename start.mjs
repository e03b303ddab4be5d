// node start.mjs --install [--dev]
//
// Makes sure that what package-lock.json names is installed, and nothing more. Runs under the machine's own Node (20 or newer),
// before there is a node_modules, so it imports nothing of ours. npm calls it before start, test, demo and the others; these then run under
// the Node that the installation brought: node_modules/.bin/node.

const [major, minor] = process.versions.node.split('.').map(Number)

function refuse(line) {
  process.stderr.write(`${line}\n`)
  process.exit(78)
}

if (major < 20) refuse(`Werkvloer needs Node 20 or newer to install itself; this is ${process.versions.node}.`)
if (!process.argv.includes('--install')) refuse('Use npm start, npm test or npm run demo; or: node start.mjs --install [--dev]')
const root = import.meta.dirname ?? new URL('.', import.meta.url).pathname
const dev = process.argv.includes('--dev')
await install(root, dev, 'what package-lock.json names')
const { join } = await import('node:path')
await install(join(root, 'console'), dev, 'the packages of the console')
await buildConsole()

/** `folder` has a package-lock.json; a stamp in its node_modules says what is installed there. */
async function install(folder, dev, what) {
  const { readFileSync, writeFileSync } = await import('node:fs')
  const { join } = await import('node:path')
  const { createHash } = await import('node:crypto')
  const stampFile = join(folder, 'node_modules', '.werkvloer-installed')
  const lock = readFileSync(join(folder, 'package-lock.json'))
  const stampOf = kind => {
    const digest = createHash('sha256').update(lock).update(`${process.platform} ${process.arch} ${kind}`).digest('hex')
    return `${kind} ${digest}\n`
  }
  const stamp = readOrEmpty(readFileSync, stampFile)
  // An installation with development packages also serves to run the product; it is never taken back.
  const enough = stamp === stampOf('dev') || (!dev && stamp === stampOf('prod'))
  if (enough && (await ensureNode(root))) return

  const kind = dev || stamp.startsWith('dev ') ? 'dev' : 'prod'
  process.stderr.write(`Installing ${what} (${kind === 'dev' ? 'with' : 'without'} development packages) …\n`)
  const began = Date.now()
  await npmCi(folder, kind)
  if (!(await ensureNode(root))) {
    refuse(
      `npm has no Node 24 for ${process.platform}-${process.arch} and the machine's own is ${process.versions.node}; install Node 24.7 or newer and start again.`
    )
  }
  if (folder === root) await buildForItsNode()
  // Written last: an installation that was broken off is repeated.
  writeFileSync(stampFile, stampOf(kind))
  process.stderr.write(`Installed in ${Math.round((Date.now() - began) / 1000)} s.\n`)
}

/** Builds the console when its sources are others than those it was built from. */
async function buildConsole() {
  const { readdirSync, readFileSync, writeFileSync } = await import('node:fs')
  const { spawnSync } = await import('node:child_process')
  const { createHash } = await import('node:crypto')
  const folder = join(root, 'console')
  const digest = createHash('sha256')
  const add = path => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name === 'node_modules' || entry.name === 'dist') continue
      const full = join(path, entry.name)
      if (entry.isDirectory()) add(full)
      else digest.update(`${full.slice(folder.length)}\0`).update(readFileSync(full))
    }
  }
  add(folder)
  const stamp = digest.digest('hex')
  const stampFile = join(folder, 'dist', '.built-from')
  if (readOrEmpty(readFileSync, stampFile) === stamp) return
  const began = Date.now()
  process.stderr.write('Building the console …\n')
  const node = join(root, 'node_modules', '.bin', 'node')
  const run = spawnSync(node, [join('node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], {
    cwd: folder,
    stdio: ['ignore', 2, 2]
  })
  if (run.status !== 0) refuse('The console could not be built (see above).')
  writeFileSync(stampFile, stamp)
  process.stderr.write(`Built in ${Math.round((Date.now() - began) / 1000)} s.\n`)
}

function readOrEmpty(read, file) {
  try {
    return read(file, 'utf8')
  } catch {
    return ''
  }
}

/** The same npm that runs us, under the Node it runs under: not the one in node_modules, which npm ci is about to replace. */
async function npmCi(folder, kind) {
  const { spawnSync } = await import('node:child_process')
  const { join, delimiter } = await import('node:path')
  const npm = process.env.npm_execpath
  const [program, ...first] = npm?.endsWith('npm-cli.js') ? [process.env.npm_node_execpath ?? process.execPath, npm] : ['npm']
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error', ...(kind === 'prod' ? ['--omit=dev'] : [])]
  const path = (process.env.PATH ?? '').split(delimiter).filter(entry => entry !== join(root, 'node_modules', '.bin'))
  const env = { ...process.env, PATH: path.join(delimiter) }
  const run = spawnSync(program, args, { cwd: folder, stdio: ['ignore', 2, 2], env })
  if (run.error?.code === 'ENOENT') refuse('npm is not in the PATH; install npm, or start with: npm start')
  if (run.status !== 0) refuse('The installation failed (see above); check the connection to the package registry and start again.')
}

/**
 * What npm compiled is for the Node that npm ran under. Where we run under another, ssh2's part is compiled once more, for that one; its
 * package brings the headers. Without a compiler it stays as it is: SFTP is slower then, and the server says so at its start.
 */
async function buildForItsNode() {
  const { spawnSync } = await import('node:child_process')
  const { existsSync } = await import('node:fs')
  const { join, delimiter } = await import('node:path')
  const npm = process.env.npm_execpath
  const home = join(root, 'node_modules', `node-${process.platform}-${process.arch}`)
  const node = join(home, 'bin', 'node')
  if (!npm?.endsWith('npm-cli.js') || !existsSync(join(home, 'include', 'node'))) return
  const modules = spawnSync(node, ['-p', 'process.versions.modules'], { encoding: 'utf8' }).stdout?.trim()
  if (!modules || modules === process.versions.modules) return
  const env = { ...process.env, PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH ?? ''}`, npm_config_nodedir: home }
  spawnSync(node, [npm, 'rebuild', 'ssh2', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2], env })
}

/** npm brings Node 24 for Linux; elsewhere, or where that one does not run, a link to the machine's own when it is new enough. */
async function ensureNode(root) {
  const { spawnSync } = await import('node:child_process')
  const { mkdirSync, rmSync, symlinkSync } = await import('node:fs')
  const { join } = await import('node:path')
  const node = join(root, 'node_modules', '.bin', 'node')
  if (spawnSync(node, ['--version'], { stdio: 'ignore' }).status === 0) return true
  if (major < 24 || (major === 24 && minor < 7)) return false
  mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true })
  rmSync(node, { force: true })
  symlinkSync(process.execPath, node)
  return true
}
