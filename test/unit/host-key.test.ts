import ssh2 from 'ssh2'
import t from 'tap'
import { newSftpHostKey } from '../../core/exchange/host-key.ts'

t.test('host key: every new one can be read, which the library does not promise', async t => {
  let unreadable = 0
  for (let i = 0; i < 2000; i++) {
    const { publicLine, privatePem } = newSftpHostKey()
    if (ssh2.utils.parseKey(privatePem) instanceof Error || ssh2.utils.parseKey(publicLine) instanceof Error) unreadable++
  }
  t.equal(unreadable, 0)
})
