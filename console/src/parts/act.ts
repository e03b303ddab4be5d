/** One key per intention: a repeat after a lost answer gets the first answer again and does nothing twice. */
export const newKey = (): { 'idempotency-key': string } => ({ 'idempotency-key': crypto.randomUUID() })
