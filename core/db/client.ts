import pg from 'pg'

/** One connection outside the pools: to listen, or to look before there are pools. The caller connects, handles errors and ends it. */
export function plainClient(
  url: string,
  name: string,
  options: Pick<pg.ClientConfig, 'keepAlive' | 'connectionTimeoutMillis'> = {}
): pg.Client {
  return new pg.Client({ connectionString: url, application_name: name, ...options })
}
