import type { Socket } from 'node:net'
import ssh2, { type Attributes, type SFTPWrapper } from 'ssh2'
import type { Clock } from '../clock.ts'
import type { Ctx } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import { setFileTime } from './inbox-store.ts'
import { removeOutboxFile } from './outbox-files-store.ts'
import { attributesOf, longNameOf } from './sftp-attributes.ts'
import type { SftpLogin } from './sftp-auth.ts'
import { type Handle, handleTable, writeHandle } from './sftp-handles.ts'
import { requestQueue } from './sftp-queue.ts'
import { type Place, pathOf, placeOf, type Tree } from './sftp-tree.ts'
import type { Uploads } from './uploads.ts'

const { STATUS_CODE: status, OPEN_MODE: mode } = ssh2.utils.sftp

/** What a session works with. */
export interface SftpDoor {
  /** A context for the next request; refuses when the access was revoked or the tenant is not available. */
  enter(login: SftpLogin): Promise<Ctx>
  treeOf(connectionId: string): Tree
  readonly uploads: Uploads
}

/** Longest answer to one READ; clients ask again for the rest. */
const mostRead = 128 * 1024
const namesPerAnswer = 100

class Answer extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
const no = {
  suchFile: (message = 'no such file') => new Answer(status.NO_SUCH_FILE, message),
  permission: (message: string) => new Answer(status.PERMISSION_DENIED, message),
  failure: (message: string) => new Answer(status.FAILURE, message)
}

/**
 * Answers the requests of one SFTP channel. What each client sends, and needs as an answer, was recorded with OpenSSH, lftp and
 * rclone. Links and extensions have no listener: the library answers them with "unsupported".
 * @returns stops the session: what runs is finished, open uploads are kept as incomplete
 */
export function serveSftp(options: {
  sftp: SFTPWrapper
  socket: Socket
  login: SftpLogin
  door: SftpDoor
  clock: Clock
  log: Log
  touch: () => void
  hangUp: () => void
}): () => Promise<void> {
  const { sftp, login, door, log } = options
  const tree = door.treeOf(login.connectionId)
  const handles = handleTable()
  // Not part of the library's types: answers that did not fit into the client's window.
  const unsent = (): boolean => ((sftp as unknown as { _buffer?: readonly unknown[] })._buffer?.length ?? 0) > 0
  // Whoever floods us is not asked to leave first.
  const queue = requestQueue({ socket: options.socket, unsent, overflow: () => options.socket.destroy() })

  function on(
    event: string,
    handler: (ctx: Ctx, id: number, ...args: never[]) => Promise<void>,
    bytes: (...args: unknown[]) => number = () => 200
  ): void {
    ;(sftp as unknown as { on(event: string, listener: (id: number, ...args: unknown[]) => void): void }).on(event, (id, ...args) => {
      options.touch()
      queue.push(bytes(...args), async () => {
        try {
          await handler(await door.enter(login), id, ...(args as never[]))
        } catch (error) {
          // Clients close the handle after a refusal too; that must not make a shorter file count.
          if (event === 'WRITE') handles.spoil(args[0] as Buffer)
          answerError(id, error)
        }
      })
    })
  }

  function answerError(id: number, error: unknown): void {
    if (error instanceof Answer) {
      sftp.status(id, error.code, error.message)
    } else if (error instanceof Refusal) {
      log.info({ code: error.code, outcome: 'refused' }, 'sftp request refused')
      sftp.status(id, error.kind === 'forbidden' ? status.PERMISSION_DENIED : status.FAILURE, error.detail)
      if (error.kind === 'unauthenticated') options.hangUp()
    } else {
      log.error({ err: error, connection: login.connectionId }, 'sftp request failed')
      sftp.status(id, status.FAILURE, 'something went wrong on our side; try again')
    }
  }

  const known = (path: string): Place => {
    const place = placeOf(path)
    if (place.at === 'nowhere') throw no.suchFile(place.problem)
    return place
  }
  /** The inbox name a path stands for; anything else is refused with a hint. */
  const inboxName = (path: string): string => {
    const place = placeOf(path)
    if (place.at === 'nowhere') throw no.permission(place.problem)
    if (place.at !== 'file' || place.folder !== 'inbox') throw no.permission('files are handed in under inbox/')
    return place.name
  }
  const handleOf = <K extends Handle['kind']>(buffer: Buffer, kind: K): Handle & { kind: K } => {
    const handle = handles.get(buffer)
    if (handle?.kind !== kind) throw no.failure('this handle is not open for that')
    return handle as Handle & { kind: K }
  }

  on('REALPATH', async (_ctx, id, path: string) => {
    const resolved = pathOf(known(path))
    if (resolved === undefined) throw no.suchFile()
    sftp.name(id, [{ filename: resolved, longname: resolved, attrs: {} as Attributes }])
  })

  const stat = async (ctx: Ctx, id: number, path: string): Promise<void> => {
    const entry = await tree.find(ctx, known(path))
    if (!entry) throw no.suchFile()
    sftp.attrs(id, attributesOf(entry))
  }
  on('STAT', stat)
  on('LSTAT', stat)
  on('FSTAT', async (ctx, id, buffer: Buffer) => {
    const handle = handles.get(buffer)
    if (!handle) throw no.failure('no such handle')
    const size = handle.kind === 'write' ? handle.size() : handle.kind === 'read' ? handle.source.size : 0
    sftp.attrs(id, attributesOf({ name: '', kind: handle.kind === 'list' ? 'folder' : 'file', size, modified: ctx.clock.now() }))
  })

  on('OPEN', async (ctx, id, path: string, flags: number) => {
    handles.checkRoom()
    if ((flags & mode.WRITE) === 0) {
      const source = await tree.open(ctx, known(path))
      if (!source) throw no.suchFile()
      sftp.handle(id, handles.add({ kind: 'read', source, told: false }))
      return
    }
    const name = inboxName(path)
    handles.checkUploads()
    const handle = await writeHandle(ctx, door.uploads, login.connectionId, name, {
      truncate: (flags & mode.TRUNC) !== 0,
      create: (flags & mode.CREAT) !== 0,
      exclusive: (flags & mode.EXCL) !== 0,
      append: (flags & mode.APPEND) !== 0
    })
    if (handle === 'missing') throw no.suchFile()
    if (handle === 'exists') throw no.failure('the file exists')
    sftp.handle(id, handles.add(handle))
  })

  on(
    'WRITE',
    async (ctx, id, buffer: Buffer, offset: number, data: Buffer) => {
      await handleOf(buffer, 'write').write(ctx, offset, data)
      sftp.status(id, status.OK)
    },
    (_handle, _offset, data) => (data as Buffer).length
  )

  on('READ', async (_ctx, id, buffer: Buffer, offset: number, length: number) => {
    const handle = handleOf(buffer, 'read')
    const { source } = handle
    const data = offset >= source.size ? Buffer.alloc(0) : await source.read(offset, Math.min(length, mostRead))
    if (data.length > 0) sftp.data(id, data)
    else sftp.status(id, status.EOF)
    if (!handle.told && offset + data.length >= source.size) {
      handle.told = true
      await source.wholeRead()
    }
  })

  on('CLOSE', async (ctx, id, buffer: Buffer) => {
    const handle = handles.take(buffer)
    if (!handle) throw no.failure('no such handle')
    if (handle.kind === 'write') await handle.close(ctx)
    if (handle.kind === 'read') await handle.source.close()
    sftp.status(id, status.OK)
  })

  on('OPENDIR', async (ctx, id, path: string) => {
    handles.checkRoom()
    const entries = await tree.list(ctx, known(path))
    if (!entries) throw no.suchFile('no such folder')
    sftp.handle(id, handles.add({ kind: 'list', entries, next: 0 }))
  })
  on('READDIR', async (_ctx, id, buffer: Buffer) => {
    const handle = handleOf(buffer, 'list')
    const page = handle.entries.slice(handle.next, handle.next + namesPerAnswer)
    handle.next += page.length
    if (page.length === 0) sftp.status(id, status.EOF)
    else
      sftp.name(
        id,
        page.map(entry => ({ filename: entry.name, longname: longNameOf(entry), attrs: attributesOf(entry) }))
      )
  })

  on('FSETSTAT', async (ctx, id, buffer: Buffer, attrs: Attributes) => {
    const handle = handleOf(buffer, 'write')
    if (attrs.size !== undefined) await handle.resize(ctx, attrs.size)
    if (attrs.mtime !== undefined) handle.modified = new Date(attrs.mtime * 1000)
    sftp.status(id, status.OK)
  })
  on('SETSTAT', async (ctx, id, path: string, attrs: Attributes) => {
    const place = known(path)
    const entry = await tree.find(ctx, place)
    if (!entry) throw no.suchFile()
    if (entry.kind === 'file') {
      if (attrs.size !== undefined && attrs.size !== entry.size) throw no.failure('the size of a file cannot be changed')
      const found =
        place.at === 'file' && place.folder === 'inbox' ? await door.uploads.find(ctx, login.connectionId, place.name) : undefined
      if (!found) throw no.permission('this file cannot be changed')
      if (attrs.mtime !== undefined) await setFileTime(ctx, found.id, new Date(attrs.mtime * 1000).toISOString())
    }
    sftp.status(id, status.OK)
  })

  on('REMOVE', async (ctx, id, path: string) => {
    const place = known(path)
    if (place.at !== 'file') throw no.permission('folders stay')
    if (place.folder === 'outbox') await takeAway(ctx, place.name)
    else if (place.folder !== 'inbox') throw no.permission('this file cannot be removed')
    else if (!(await door.uploads.withdraw(ctx, login.connectionId, place.name)))
      throw no.suchFile('no such file, or it has been taken over already')
    sftp.status(id, status.OK)
  })
  on('RENAME', async (ctx, id, from: string, to: string) => {
    const place = known(from)
    if (place.at === 'file' && place.folder === 'outbox') {
      if (inFolder(placeOf(to), 'inbox')) throw no.permission('files for the ERP cannot be handed in')
      await takeAway(ctx, place.name)
    } else {
      const answer = await door.uploads.rename(ctx, login.connectionId, inboxName(from), inboxName(to))
      if (answer === 'missing') throw no.suchFile('no such file, or it has been taken over already')
      if (answer === 'exists') throw no.failure('a file of that name exists')
      if (answer === 'open') throw no.failure('the file is still being written')
    }
    sftp.status(id, status.OK)
  })

  /** Removing or moving away is how an ERP says that it has a file. */
  async function takeAway(ctx: Ctx, name: string): Promise<void> {
    if (!(await tree.find(ctx, { at: 'file', folder: 'outbox', name }))) throw no.suchFile()
    if (!(await removeOutboxFile(ctx, login.connectionId, name))) throw no.permission('fetch the file before removing it')
  }

  on('MKDIR', async (ctx, _id, path: string) => {
    const place = placeOf(path)
    const there = place.at === 'nowhere' ? undefined : await tree.find(ctx, place)
    throw there ? no.failure('it exists') : no.permission('folders cannot be made')
  })
  on('RMDIR', async () => {
    throw no.permission('folders stay')
  })

  async function finish(): Promise<void> {
    await queue.idle()
    for (const handle of handles.takeAll()) {
      try {
        if (handle.kind === 'write') await handle.drop()
        if (handle.kind === 'read') await handle.source.close()
      } catch (error) {
        log.error({ err: error, connection: login.connectionId }, 'ending an open file failed')
      }
    }
    // A session may open and close channels for hours on one socket.
    options.socket.off('close', queue.stop)
  }

  let ending: Promise<void> | undefined
  const end = (): Promise<void> => (ending ??= finish())
  options.socket.once('close', queue.stop)
  sftp.on('error', (error: Error) => {
    log.debug({ err: error }, 'sftp protocol')
    options.hangUp()
  })
  // Comes at a clean end and for a killed client. Without our own end OpenSSH's sftp waits for ever (measured).
  sftp.on('end', () => {
    void end().then(() => {
      sayGoodBye(sftp)
      sftp.end()
    })
  })
  return end
}

const inFolder = (place: Place, folder: string): boolean => place.at === 'file' && place.folder === folder

/** scp takes a channel that closes without an exit status for a failure; the library's SFTP object has no method for it. */
function sayGoodBye(sftp: SFTPWrapper): void {
  const channel = sftp as unknown as {
    readonly _protocol?: { exitStatus?(channel: number, status: number): void }
    readonly outgoing?: { readonly id: number; readonly state: string }
  }
  if (channel.outgoing?.state === 'open') channel._protocol?.exitStatus?.(channel.outgoing.id, 0)
}
