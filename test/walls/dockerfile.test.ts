import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { arrowsOf, productSources, root } from '../helpers/sources.ts'

const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
const ignore = readFileSync(join(root, '.dockerignore'), 'utf8')
const compose = readFileSync(join(root, 'deploy/compose.yaml'), 'utf8')

/** Instructions with their arguments, continued lines joined, comments left out. */
function instructions(text: string): { word: string; rest: string }[] {
  return text
    .replace(/^#.*$/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .map(line => ({ word: line.split(' ')[0] ?? '', rest: line.slice((line.split(' ')[0] ?? '').length).trim() }))
}

/** What is copied from the repository; between stages nothing is. */
const copied = (text: string): string[] =>
  instructions(text)
    .filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from='))
    .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))

function problems(text: string, exists: (path: string) => boolean): string[] {
  const all = instructions(text)
  const last = all.findLastIndex(({ word }) => word === 'FROM')
  const final = all.slice(last)
  const found: string[] = []
  for (const { word, rest } of all) {
    if (word === 'FROM' && !/^\S+:\d+\.\d+\.\d+[\w.-]*(\s|$)/.test(rest)) found.push(`FROM ${rest}: names no exact version`)
    if (word === 'ADD') found.push('ADD takes addresses and unpacks; COPY does not')
  }
  const user = final.findLast(({ word }) => word === 'USER')?.rest
  if (user === undefined || user === 'root' || /^0(:|$)/.test(user)) found.push('the server would run as root')
  if (!final.some(({ word, rest }) => word === 'HEALTHCHECK' && rest.includes('/health/ready')))
    found.push('no health check of /health/ready')
  if (!final.some(({ word, rest }) => word === 'CMD' && rest === '["node", "main.ts", "serve"]'))
    found.push('CMD must start Node itself, which gets the signals')
  for (const path of copied(text)) if (!exists(path)) found.push(`COPY ${path}: is not there`)
  return found
}

t.test('image: each fault is caught when planted', async t => {
  const sound =
    'FROM node:24.1.0-slim\nCOPY core core\nUSER node\nHEALTHCHECK CMD curl localhost/health/ready\nCMD ["node", "main.ts", "serve"]\n'
  const here = () => true
  t.same(problems(sound, here), [])
  t.match(problems(sound.replace('24.1.0-slim', 'latest'), here), [/no exact version/])
  t.match(problems(sound.replace('USER node\n', ''), here), [/as root/])
  t.match(problems(sound.replace('USER node', 'USER 0:0'), here), [/as root/])
  t.match(problems(sound.replace('/health/ready', '/'), here), [/no health check/])
  t.match(problems(sound.replace(/CMD \[.*/, 'CMD npm start'), here), [/CMD must start Node/])
  t.match(
    problems(sound, path => path !== 'core'),
    [/COPY core: is not there/]
  )
  t.match(problems(`${sound}ADD https://example.com/x /x\n`, here), [/ADD/])
})

t.test('image: the Dockerfile has none of these faults', async t => {
  t.ok(copied(dockerfile).length >= 8, 'an empty scan is not a pass')
  t.same(
    problems(dockerfile, path => existsSync(join(root, path))),
    []
  )
})

t.test('image: everything that the product imports is in it, and the ignore file lets it through', async t => {
  const inImage = copied(dockerfile)
  const needed = new Set(
    productSources()
      .flatMap(arrowsOf)
      .filter(({ own }) => own)
      .map(({ to }) => to.split('/')[0] ?? '')
  )
  t.ok(needed.size >= 4, 'an empty scan is not a pass')
  t.same(
    [...needed].filter(path => !inImage.includes(path)),
    []
  )
  const allowed = ignore.split('\n').flatMap(line => (line.startsWith('!') ? [line.slice(1)] : []))
  t.same(
    inImage.filter(path => !allowed.some(name => path === name || path.startsWith(`${name}/`))),
    []
  )
  t.ok(ignore.split('\n').includes('*'), 'what is not named stays out')
})

t.test('image: the compose file names exact versions, keeps secrets in files and the database inside', async t => {
  const images = [...compose.matchAll(/image:\s*(\S+)/g)].map(match => match[1] ?? '')
  t.ok(images.length >= 2)
  t.same(
    images.filter(image => !/:(\d+\.\d+\S*|local)$/.test(image)),
    []
  )
  t.notMatch(compose, /(PASSWORD|ROOT_KEY|DATABASE_URL):\s*\S/, 'no secret as a plain variable')
  t.match(compose, /inside: \{ internal: true \}/)
  t.notMatch(compose, /5432:5432/)
  for (const [, path] of compose.matchAll(/-\s*\.\/([\w./-]+):/g)) t.ok(existsSync(join(root, 'deploy', path ?? '')), path ?? 'a path')
})
