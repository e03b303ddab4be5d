import { type TSchema, Type } from 'typebox'

/**
 * Every setting of the server, in the order of the reference. `description` and `remedy` are printed in docs/reference/config.md
 * and in refusals; `secret` marks what may also come from a file (NAME_FILE) and is never printed back.
 */
interface Extras {
  readonly description: string
  /** What to write instead, as the end of the sentence "write …". */
  readonly remedy: string
  readonly example: string
  /** Shown as default where the real one is computed. */
  readonly defaultText?: string
  readonly secret?: true
  readonly group: SettingGroup
}

export type SettingGroup = 'Data and secrets' | 'Web' | 'SFTP' | 'Database' | 'Operation'

const whole = (minimum: number, maximum: number, byDefault: number, extras: Omit<Extras, 'remedy'>) =>
  Type.Integer({ minimum, maximum, default: byDefault, remedy: `a whole number from ${minimum} to ${maximum}`, ...extras })

const port = (byDefault: number | undefined, extras: Omit<Extras, 'remedy'>) =>
  Type.Integer({
    minimum: 0,
    maximum: 65535,
    ...(byDefault === undefined ? {} : { default: byDefault }),
    remedy: 'a port number from 1 to 65535 (0 takes any free port)',
    ...extras
  })

const text = (extras: Extras, limits: { pattern?: string; default?: string } = {}) => Type.String({ minLength: 1, ...limits, ...extras })

const optional = <T extends TSchema>(schema: T) => Type.Optional(schema)

const hostPattern = '^[A-Za-z0-9_.:-]+$'

export const SettingsShape = Type.Object(
  {
    WERKVLOER_DATA: text(
      {
        group: 'Data and secrets',
        description:
          'Folder for everything kept on this machine: encrypted files and, without WERKVLOER_DATABASE_URL, the database. Needs a writable file system.',
        remedy: 'the path of a folder this user may write',
        example: '/var/lib/werkvloer'
      },
      { default: './data' }
    ),
    WERKVLOER_ROOT_KEY: optional(
      text({
        group: 'Data and secrets',
        secret: true,
        defaultText: 'with the embedded database: made once, kept in the data folder as root.key',
        description:
          'Key that wraps the keys of all tenants. Whoever loses it loses all encrypted data; keep a copy outside this machine. Required with WERKVLOER_DATABASE_URL.',
        remedy: '32 random bytes in base64: openssl rand -base64 32',
        example: '(openssl rand -base64 32)'
      })
    ),
    WERKVLOER_HTTP_HOST: text(
      {
        group: 'Web',
        description: 'Address the web server listens on. Anything but loopback needs WERKVLOER_PUBLIC_URL.',
        remedy: 'an IP address or host name of this machine, for example 127.0.0.1 or 0.0.0.0',
        example: '0.0.0.0'
      },
      { default: '127.0.0.1', pattern: hostPattern }
    ),
    WERKVLOER_HTTP_PORT: port(8080, { group: 'Web', description: 'Port of the web server (console, API, ERP routes).', example: '8080' }),
    WERKVLOER_PUBLIC_URL: optional(
      text({
        group: 'Web',
        defaultText: 'http://localhost:WERKVLOER_HTTP_PORT',
        description: 'The address people and ERPs use, as they type it. https, unless it is a loopback address for trying out.',
        remedy: 'an origin without path, for example https://werkvloer.example.com',
        example: 'https://werkvloer.example.com'
      })
    ),
    WERKVLOER_TRUST_PROXY: text(
      {
        group: 'Web',
        description:
          'Exact IP addresses of the reverse proxies in front, separated by commas. Only their X-Forwarded-* headers are believed.',
        remedy: 'IP addresses separated by commas, without ranges and without names, for example 10.0.0.5',
        example: '10.0.0.5'
      },
      { default: 'none' }
    ),
    WERKVLOER_BODY_LIMIT_BYTES: whole(1024, 67_108_864, 1_048_576, {
      group: 'Web',
      description: 'Largest JSON body of the API. Files have their own limit.',
      example: '1048576'
    }),
    WERKVLOER_REQUESTS_PER_CALLER: whole(1, 1_000_000, 50, {
      group: 'Web',
      description:
        'Requests per second that one person, API key or ERP token may make of this process; twice as many at once. What is above answers 429 with Retry-After.',
      example: '50'
    }),
    WERKVLOER_REQUESTS_PER_CUSTOMER: whole(1, 1_000_000, 200, {
      group: 'Web',
      description:
        'The same for all people and programs of one customer together, so that none of them takes what others need. Each web process counts for itself.',
      example: '200'
    }),
    WERKVLOER_METRICS_PORT: optional(
      port(undefined, {
        group: 'Web',
        defaultText: 'off',
        description: 'Port of the private listener with /metrics. Never publish it.',
        example: '9464'
      })
    ),
    WERKVLOER_METRICS_HOST: text(
      {
        group: 'Web',
        description: 'Address of the private listener.',
        remedy: 'an IP address or host name of this machine',
        example: '127.0.0.1'
      },
      { default: '127.0.0.1', pattern: hostPattern }
    ),
    WERKVLOER_SFTP_HOST: text(
      {
        group: 'SFTP',
        description: 'Address the SFTP server listens on.',
        remedy: 'an IP address or host name of this machine, for example 127.0.0.1 or 0.0.0.0',
        example: '0.0.0.0'
      },
      { default: '127.0.0.1', pattern: hostPattern }
    ),
    WERKVLOER_SFTP_PORT: port(2222, { group: 'SFTP', description: 'Port of the SFTP server.', example: '2222' }),
    WERKVLOER_SFTP_MAX_CONNECTIONS: whole(1, 10_000, 200, {
      group: 'SFTP',
      description: 'Connections at the same time; one more is closed at once.',
      example: '200'
    }),
    WERKVLOER_SFTP_MAX_UNAUTHENTICATED: whole(1, 10_000, 50, {
      group: 'SFTP',
      description: 'Connections at the same time that have not yet shown a key.',
      example: '50'
    }),
    WERKVLOER_SFTP_LOGIN_GRACE_SECONDS: whole(1, 600, 20, {
      group: 'SFTP',
      description: 'Seconds a connection may take to show its key.',
      example: '20'
    }),
    WERKVLOER_SFTP_IDLE_SECONDS: whole(5, 86_400, 300, {
      group: 'SFTP',
      description: 'Seconds after which a silent connection is closed.',
      example: '300'
    }),
    WERKVLOER_MAX_FILE_BYTES: whole(1024, 10_737_418_240, 209_715_200, {
      group: 'SFTP',
      description: 'Largest file an ERP may deliver, by SFTP or by HTTP.',
      example: '209715200'
    }),
    WERKVLOER_DATABASE_URL: optional(
      text({
        group: 'Database',
        secret: true,
        defaultText: 'an embedded PostgreSQL in the data folder',
        description:
          'The control database of a PostgreSQL 15 to 18 server, as the provisioner role (login, createdb, createrole, not a superuser). A server on another machine needs sslmode=verify-full, or sslmode=disable said outright.',
        remedy: 'postgresql://user:password@host:5432/werkvloer_control?sslmode=verify-full',
        example: 'postgresql://werkvloer:password@db.example.com:5432/werkvloer_control?sslmode=verify-full'
      })
    ),
    WERKVLOER_POOL_PER_TENANT: whole(1, 100, 4, {
      group: 'Database',
      description: 'Connections one tenant may hold in this process.',
      example: '4'
    }),
    WERKVLOER_POOL_TOTAL: whole(1, 5000, 60, {
      group: 'Database',
      description: 'Connections to tenant databases of this process, all tenants together.',
      example: '60'
    }),
    WERKVLOER_POOL_IDLE_SECONDS: whole(1, 3600, 30, {
      group: 'Database',
      description: 'Seconds after which an idle connection is closed.',
      example: '30'
    }),
    WERKVLOER_LOG_LEVEL: Type.Union(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map(level => Type.Literal(level)),
      {
        default: 'info',
        group: 'Operation',
        description: 'How much is logged (JSON lines on standard output).',
        remedy: 'one of fatal, error, warn, info, debug, trace, silent',
        example: 'info'
      }
    ),
    WERKVLOER_DEMO: Type.Union(
      ['auto', 'on', 'off'].map(choice => Type.Literal(choice)),
      {
        default: 'auto',
        group: 'Operation',
        description:
          'The demo factory with published passwords. auto: only with the embedded database and only where nobody else can reach it (loopback).',
        remedy: 'auto, on or off',
        example: 'off'
      }
    ),
    WERKVLOER_ALLOW_PRIVATE_EGRESS: text(
      {
        group: 'Operation',
        description:
          'Addresses (host:port, separated by commas) that ERP connections may call although they are private or loopback. All other private addresses are refused.',
        remedy: 'host:port pairs separated by commas, for example erp.internal:8443',
        example: 'erp.internal:8443'
      },
      { default: 'none' }
    ),
    WERKVLOER_SCAN_COMMAND: optional(
      text(
        {
          group: 'Operation',
          defaultText: 'none',
          description:
            'Virus scanner for what ERPs deliver: absolute path of a program and its arguments, started without a shell. It reads a delivery on standard input and ends with 0 for clean, 1 for found; with anything else the delivery waits.',
          remedy: 'the absolute path of a program and its arguments, separated by spaces, for example /usr/bin/clamdscan --no-summary -',
          example: '/usr/bin/clamdscan --no-summary -'
        },
        { pattern: '^/[\\x21-\\x7e]+( +[\\x21-\\x7e]+)*$' }
      )
    )
  },
  { additionalProperties: false }
)

/** The parts of a setting's schema that people read. */
export interface SettingDoc extends Extras {
  readonly name: string
  readonly byDefault: string
}

/** All settings with their words, in order. */
export function settingDocs(): readonly SettingDoc[] {
  return Object.entries(SettingsShape.properties).map(([name, schema]) => {
    const extras = schema as unknown as Extras & { default?: string | number }
    return { ...extras, name, byDefault: extras.defaultText ?? String(extras.default ?? 'none') }
  })
}
