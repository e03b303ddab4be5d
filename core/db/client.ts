import pg from 'pg'

/**
 * One connection outside the pools: to listen, to migrate, or to look before there are pools. The caller connects and ends it. One that
 * breaks says so in the query under way or the next one, and by its event `end`.
 */
export function plainClient(
  url: string,
  name: string,
  options: Pick<pg.ClientConfig, 'keepAlive' | 'connectionTimeoutMillis'> = {}
): pg.Client {
  const client = new pg.Client({ connectionString: url, application_name: name, ...options })
  // pg says it as an event too, and without a listener that would end the process.
  client.on('error', () => undefined)
  return client
}
