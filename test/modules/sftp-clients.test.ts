import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { sftpGround } from '../helpers/sftp.ts'

/** Programs as customers use them; what is not installed on this machine is skipped by name. */
const installed = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
const unless = (program: string) => (installed(program) ? {} : { skip: `${program} is not installed` })

interface Run {
  readonly code: number
  readonly out: string
}
function run(program: string, args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), LC_ALL: 'C', ...options.env },
      timeout: 40_000
    })
    let out = ''
    child.stdout.on('data', data => {
      out += data
    })
    child.stderr.on('data', data => {
      out += data
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code: code ?? -1, out }))
    child.stdin.end(options.input ?? '')
  })
}

t.test('clients', async t => {
  const ground = await sftpGround(t, { stabilitySeconds: 3600 })
  const { ctx, server } = ground
  const connectionId = await ground.connection(ctx)
  const user = await ground.user(ctx, connectionId, 'acme-erp')
  const dir = mkdtempSync(join(tmpdir(), 'wv-client-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const keyFile = join(dir, 'key')
  writeFileSync(keyFile, user.key.private, { mode: 0o600 })
  const big = Buffer.alloc(3 * 1024 * 1024)
  for (let i = 0; i < big.length; i++) big[i] = (i * 31 + (i >> 8)) & 0xff
  writeFileSync(join(dir, 'big.bin'), big)
  writeFileSync(join(dir, 'orders.csv'), 'number;quantity\n1;2\n')
  const ssh = [
    '-i',
    keyFile,
    '-o',
    'IdentitiesOnly=yes',
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR'
  ]
  const batch = (commands: string): Promise<Run> =>
    run('sftp', ['-b', '-', ...ssh, '-P', String(server.port), 'acme-erp@127.0.0.1'], { input: commands })
  const states = async () => (await ground.rows()).map(row => `${row.name} ${row.state} ${row.size}`)

  await t.test('OpenSSH sftp: put, list, rename, get, resume and the end of a batch', unless('sftp'), async t => {
    const first = await batch(
      [
        `put ${dir}/orders.csv inbox/orders.tmp`,
        'ls -l inbox',
        'rename inbox/orders.tmp inbox/orders.csv',
        `put ${dir}/big.bin inbox/big.part`,
        `get inbox/big.part ${dir}/back.bin`,
        'pwd',
        'cd inbox',
        'ls'
      ].join('\n')
    )
    t.equal(first.code, 0, first.out)
    t.match(first.out, /-rw-r--r--\s+1 erp\s+erp\s+20 \w{3} [ \d]\d \d\d:\d\d inbox\/orders\.tmp|orders\.tmp/)
    t.ok(readFileSync(join(dir, 'back.bin')).equals(big), 'the same bytes come back')
    t.strictSame(
      await states(),
      ['orders.csv stored 20', `big.part arriving ${big.length}`],
      'the rename from a temporary name made it whole'
    )

    writeFileSync(join(dir, 'half.bin'), big.subarray(0, 1_000_000))
    const resumed = await batch(
      [`put ${dir}/half.bin inbox/again.part`, `reput ${dir}/big.bin inbox/again.part`, `get inbox/again.part ${dir}/again.bin`].join('\n')
    )
    t.equal(resumed.code, 0, resumed.out)
    t.ok(readFileSync(join(dir, 'again.bin')).equals(big), 'resumed at its end')
    const refused = await batch(
      [
        `-mkdir inbox`,
        `-mkdir inbox/sub`,
        `-put ${dir}/orders.csv /orders.csv`,
        '-rmdir inbox',
        '-rename inbox/big.part inbox/again.part'
      ].join('\n')
    )
    t.match(refused.out, /Failure[\s\S]*ermission denied[\s\S]*ermission denied[\s\S]*ermission denied[\s\S]*Failure/)
    t.equal((await batch('rm inbox/again.part')).code, 0)
    t.notMatch((await states()).join(), /again\.part arriving/)
  })

  await t.test('OpenSSH scp: its SFTP mode works, its old mode has no shell to run in', unless('scp'), async t => {
    const scp = (args: string[]) =>
      run('scp', [...args, ...ssh, '-P', String(server.port), join(dir, 'orders.csv'), 'acme-erp@127.0.0.1:inbox/scp.csv'])
    const copied = await scp(['-s'])
    t.equal(copied.code, 0, copied.out)
    const over = await scp(['-s'])
    t.equal(over.code, 0, over.out)
    const old = await scp(['-O'])
    t.not(old.code, 0)
    t.match(
      (await states()).filter(row => row.startsWith('scp.csv')),
      ['scp.csv incomplete 20', 'scp.csv arriving 20']
    )
  })

  await t.test('lftp: put with its temporary names, mirror and rename', unless('lftp'), async t => {
    mkdirSync(join(dir, 'out'))
    writeFileSync(join(dir, 'out', 'one.csv'), 'one')
    writeFileSync(join(dir, 'out', 'two.csv'), 'two')
    const script = (lines: string[]) =>
      run('lftp', [
        '-c',
        [
          `set sftp:connect-program "ssh -a -x ${ssh.join(' ')} -p ${server.port}"`,
          'set net:max-retries 1',
          'set net:timeout 10',
          'open -u acme-erp, sftp://127.0.0.1',
          ...lines
        ].join('; ')
      ])
    const plain = await script([`put -O inbox ${dir}/out/one.csv`, 'mv inbox/one.csv inbox/uno.csv', 'ls inbox'])
    t.equal(plain.code, 0, plain.out)
    const temporary = await script(['set xfer:use-temp-file yes', `put -O inbox ${dir}/out/one.csv`, `mirror -R ${dir}/out inbox`])
    t.equal(temporary.code, 0, temporary.out)
    const rows = await states()
    t.match(rows, /uno\.csv arriving 3/)
    t.ok(rows.includes('one.csv stored 3') && rows.includes('two.csv stored 3'), rows.join(', '))
  })

  await t.test('rclone: a copy is found again after it was taken over', unless('rclone'), async t => {
    const remote = `:sftp,host=127.0.0.1,port=${server.port},user=acme-erp,key_file=${keyFile},shell_type=none,md5sum_command=none,sha1sum_command=none:`
    mkdirSync(join(dir, 'rclone'))
    writeFileSync(join(dir, 'rclone', 'r1.csv'), 'first')
    writeFileSync(join(dir, 'rclone', 'r2.bin'), big)
    const copy = () =>
      run('rclone', [
        'copy',
        '-v',
        '--retries',
        '1',
        '--low-level-retries',
        '2',
        '--config',
        '/dev/null',
        join(dir, 'rclone'),
        `${remote}inbox`
      ])
    const copied = await copy()
    t.equal(copied.code, 0, copied.out)
    t.ok((await states()).includes('r1.csv arriving 5'))
    // It looks at size and time of what it sent: a second run sends nothing, although the file is being taken over.
    const again = await copy()
    t.equal(again.code, 0, again.out)
    t.equal((await states()).filter(row => row.startsWith('r1.csv')).length, 1)
  })
})
