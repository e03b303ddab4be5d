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
  public_key_known: { kind: 'conflict', title: 'The public key is in use', remedy: 'Make a key pair for this connection alone.' }
} as const satisfies RefusalSpecs

export const refuseExchange = refuser(exchangeErrors)
