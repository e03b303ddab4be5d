import { type RefusalSpecs, refuser } from '../errors.ts'

/** Refusal codes of the exchange with the ERP. */
export const exchangeErrors = {
  connection_unknown: {
    kind: 'not_found',
    title: 'Unknown connection',
    remedy: 'Check the id of the connection in the address; it stands on the page of the connection.'
  },
  erp_route_unknown: {
    kind: 'not_found',
    title: 'Unknown route of the connection',
    remedy: 'Use one of the routes that the adapter of this connection declares; they are listed on the page of the connection.'
  },
  delivery_unknown: {
    kind: 'not_found',
    title: 'Unknown delivery',
    remedy: 'Check the id; deliveries of other connections are not shown.'
  },
  delivery_raw_gone: {
    kind: 'gone',
    title: 'The raw bytes of this delivery are no longer kept',
    remedy: 'Ask the ERP to send it again; how long raw deliveries are kept is a setting.'
  },
  delivery_too_large: { kind: 'too_large', title: 'The delivery is too large', remedy: 'Split it; the limit is named in the detail.' },
  delivery_media_type: {
    kind: 'unsupported',
    title: 'Content type not accepted',
    remedy: 'Send application/json, text/csv or application/xml and name it in Content-Type.'
  },
  delivery_content: {
    kind: 'unsupported',
    title: 'No records, but another kind of file',
    remedy: 'Send the text file that the ERP exports, not packed; the detail says what came instead.'
  },
  delivery_infected: {
    kind: 'unsupported',
    title: 'The virus scanner found something',
    remedy: 'Look for the cause on the machine that sent it before anything else comes from there.'
  },
  delivery_encoding: {
    kind: 'unsupported',
    title: 'Content encoding not accepted',
    remedy: 'Send the body as it is, without Content-Encoding.'
  },
  delivery_cut_off: { kind: 'invalid', title: 'The body ended too early', remedy: 'Send the whole body again; nothing of it was stored.' },
  inbox_full: {
    kind: 'unavailable',
    title: 'Too much is waiting in the inbox',
    remedy: 'Wait until earlier files have been taken over, and see on the deliveries page why they were not.'
  },
  upload_replaced: {
    kind: 'conflict',
    title: 'The upload was given up',
    remedy: 'A later upload under the same name took its place, or the file was removed; send it again if it is the newer one.'
  },
  upload_being_written: {
    kind: 'conflict',
    title: 'The file is still being written',
    remedy: 'Let the other session finish, or upload the whole file anew.'
  },
  sftp_limit: { kind: 'too_many', title: 'Too many open files', remedy: 'Close files before opening more.' },
  sftp_gap: {
    kind: 'invalid',
    title: 'Write out of order',
    remedy: 'Upload files from the beginning to the end, without several segments at once.'
  },
  access_revoked: { kind: 'unauthenticated', title: 'The access was revoked', remedy: 'Sign in with another key, password or token.' },
  access_unknown: { kind: 'not_found', title: 'Unknown access', remedy: 'Read the list of accesses of the connection again.' },
  access_limit: { kind: 'conflict', title: 'Too many accesses', remedy: 'Revoke one that is no longer used first.' },
  sftp_user_taken: {
    kind: 'conflict',
    title: 'The SFTP user name is taken',
    remedy: 'Choose another one; user names are unique over all customers.'
  },
  sftp_user_invalid: {
    kind: 'invalid',
    title: 'The SFTP user name is not usable',
    remedy: '3 to 32 lower-case letters, digits and hyphens, beginning with a letter.'
  },
  public_key_invalid: {
    kind: 'invalid',
    title: 'The public key is not accepted',
    remedy: 'Give one line of an OpenSSH .pub file: ed25519, ecdsa, or RSA from 3072 bits.'
  },
  public_key_known: { kind: 'conflict', title: 'The public key is in use', remedy: 'Make a key pair for this connection alone.' },
  adapter_unknown: { kind: 'invalid', title: 'Unknown adapter', remedy: 'Take one of the ids that GET /api/v1/adapters lists.' },
  connection_name_taken: { kind: 'conflict', title: 'A connection of this name exists already', remedy: 'Choose another name.' },
  connection_settings_invalid: {
    kind: 'invalid',
    title: 'The settings do not fit the adapter',
    remedy: 'Correct the fields listed in `errors`; GET /api/v1/adapters has the schema.'
  },
  connection_changed: {
    kind: 'precondition',
    title: 'Somebody changed it meanwhile',
    remedy: 'Read it again and repeat the change with the new version.'
  },
  connection_state: { kind: 'conflict', title: 'Not possible in this state', remedy: 'The detail says in which state the connection is.' },
  connection_not_ready: {
    kind: 'conflict',
    title: 'The connection is not ready',
    remedy: 'Do what the detail says, then activate it again; the check names all that is missing.'
  },
  mapping_invalid: { kind: 'invalid', title: 'The mapping or a code table is wrong', remedy: 'Correct what `errors` lists.' },
  kind_owned_elsewhere: {
    kind: 'conflict',
    title: 'Another connection owns this kind of record',
    remedy: 'Take the kind away from the other connection first; each kind has one owner.'
  },
  kind_not_offered: {
    kind: 'invalid',
    title: 'The adapter does not have this kind of record',
    remedy: 'Take kinds that the adapter declares; GET /api/v1/adapters lists them.'
  },
  reject_unknown: { kind: 'not_found', title: 'Unknown entry of the error bin', remedy: 'Read the list again; old entries age out.' },
  reject_state: {
    kind: 'conflict',
    title: 'The entry is not open',
    remedy: 'Read it again; it was replayed, resolved or skipped meanwhile.'
  },
  reject_without_row: {
    kind: 'conflict',
    title: 'There is no row to edit',
    remedy: 'Replay the delivery, or let the ERP send the record again.'
  },
  reject_without_table: {
    kind: 'conflict',
    title: 'No code table is the cause',
    remedy: 'Edit the row, or correct it in the ERP and let it be sent again.'
  },
  code_entry_exists: {
    kind: 'conflict',
    title: 'The value has another translation already',
    remedy: 'Change the code table on the page of the connection if the translation is wrong.'
  },
  delivery_not_replayable: {
    kind: 'conflict',
    title: 'The delivery cannot be replayed',
    remedy: 'Wait until it is processed; without raw bytes let the ERP send it again.'
  },
  delivery_not_held: {
    kind: 'conflict',
    title: 'Nothing of this delivery waits for a decision',
    remedy: 'Read the delivery again; somebody decided meanwhile.'
  },
  import_running: {
    kind: 'conflict',
    title: 'An import of this connection is running',
    remedy: 'Repeat after the seconds in Retry-After; the running import may still name what would be closed.'
  },
  dry_run_source: { kind: 'invalid', title: 'Name one source', remedy: 'Give either a file (name and content) or the id of a delivery.' },
  message_unknown: { kind: 'not_found', title: 'Unknown feedback message', remedy: 'Read the list of feedback again.' },
  message_state: {
    kind: 'conflict',
    title: 'The message is in another state',
    remedy: 'Read the message again; somebody, or the ERP, was faster.'
  }
} as const satisfies RefusalSpecs

export const refuseExchange = refuser(exchangeErrors)
