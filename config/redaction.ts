/**
 * Keys whose values never reach the log, at whatever depth they stand, compared without case, dashes and underscores.
 * Bodies and file contents are not logged at all; this list is the second wall behind that habit.
 */
export const redactedKeys: readonly string[] = [
  // Secrets
  'password',
  'passphrase',
  'secret',
  'clientSecret',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'authorization',
  'proxyAuthorization',
  'cookie',
  'setCookie',
  'privateKey',
  'rootKey',
  'credential',
  'credentials',
  'connectionString',
  'databaseUrl',
  'signature',
  // People
  'name',
  'firstName',
  'lastName',
  'fullName',
  'displayName',
  'employee',
  'employeeName',
  'employeeNumber',
  'personnelNumber',
  'userName',
  'email',
  'phone',
  // Contents
  'body',
  'payload',
  'content',
  'contents',
  'row',
  'rows',
  'record',
  'records',
  'params',
  'parameters',
  'values'
]

export const redacted = '[redacted]'
