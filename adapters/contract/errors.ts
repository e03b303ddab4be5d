export type ErrorClass = 'config' | 'auth' | 'transient' | 'rate-limit' | 'payload' | 'remote' | 'bug'

/**
 * Thrown for a whole delivery or run. `config` and `auth` pause the connection; `transient` and `rate-limit` are tried again;
 * `payload` rejects the delivery; `remote` and `bug` are tried three times. The message is for the customer: no secret, no name.
 */
export class AdapterError extends Error {
  readonly cls: ErrorClass
  readonly field: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(cls: ErrorClass, message: string, options: { field?: string; retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AdapterError'
    this.cls = cls
    this.field = options.field
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** `effect: none` = proven that no byte of the request left (name, connect, TLS); `possible` = anything later. */
export class TransportError extends AdapterError {
  readonly effect: 'none' | 'possible'

  constructor(effect: 'none' | 'possible', message: string, cause?: unknown) {
    super('transient', message, cause === undefined ? {} : { cause })
    this.name = 'TransportError'
    this.effect = effect
  }
}
