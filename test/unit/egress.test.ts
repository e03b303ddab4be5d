import t from 'tap'
import type { Manifest } from '../../adapters/contract/index.ts'
import { allowedHosts, checkHost, isPrivateAddress, resolveTarget } from '../../core/exchange/egress.ts'

t.test('addresses of private and special networks are closed in whatever form they are written', async t => {
  for (const address of [
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '0:0:0:0:0:0:0:1',
    'fe80::1',
    'fe80::1%lo',
    'fc00::1',
    'fd12:3456:789a::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:7f00:1',
    '::FFFF:169.254.169.254',
    '::127.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::1',
    'no address'
  ]) {
    t.ok(isPrivateAddress(address), address)
  }
})

t.test('addresses of the internet are open', async t => {
  for (const address of ['8.8.8.8', '172.15.255.255', '172.32.0.1', '100.128.0.1', '169.253.1.1', '2606:4700::1111', '2a00:1450::1']) {
    t.notOk(isPrivateAddress(address), address)
  }
})

t.test('hosts are those that the settings name at the pointers of the manifest, and no others', async t => {
  const manifest = { egress: ['/baseUrl', '/sftpHost', '/absent'] } as unknown as Manifest
  const hosts = allowedHosts(manifest, { baseUrl: 'https://ERP.example:8443/api', sftpHost: 'Files.example', other: 'evil.example' })
  t.strictSame([...hosts].sort(), ['erp.example', 'files.example'])
  t.doesNotThrow(() => checkHost('erp.EXAMPLE', hosts))
  t.throws(() => checkHost('evil.example', hosts), { name: 'AdapterError', cls: 'config' })
  t.throws(() => checkHost('sub.erp.example', hosts), { name: 'AdapterError', cls: 'config' })
})

t.test('a host that leads into a private network is refused unless the operator opened just this host and port', async t => {
  const hosts = new Set(['localhost', '127.0.0.1', '[::1]'])
  await t.rejects(resolveTarget('localhost', 443, hosts, []), { cls: 'config', message: /private network/ })
  await t.rejects(resolveTarget('127.0.0.1', 443, hosts, ['127.0.0.1:444', 'localhost:443']), { name: 'AdapterError', cls: 'config' })
  t.match(await resolveTarget('127.0.0.1', 443, hosts, ['127.0.0.1:443']), { address: '127.0.0.1', family: 4 })
  t.match(await resolveTarget('[::1]', 443, hosts, ['[::1]:443']), { address: '::1', family: 6 })
})

t.test('a name without an address proves that nothing was sent', async t => {
  await t.rejects(resolveTarget('nothing.invalid', 443, new Set(['nothing.invalid']), []), { name: 'TransportError', effect: 'none' })
})
