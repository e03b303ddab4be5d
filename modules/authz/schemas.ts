import { Type } from 'typebox'
import { Id, Instant, named, Text } from '../../core/index.ts'
import { usernamePattern } from './users.ts'

const closed = { additionalProperties: false }
const Null = Type.Null()
const Ids = Type.Array(Id, { maxItems: 100, uniqueItems: true })
const password = Type.String({ minLength: 1, maxLength: 1_000, description: 'At least 8 characters; kept as argon2id' })

export const SignInBody = Type.Object(
  { customer: Text(40), username: Text(100, { description: 'User name or employee number' }), password },
  closed
)
export const TokensShape = named(
  'Tokens',
  Type.Object(
    {
      accessToken: Type.String(),
      expiresAt: Instant,
      mustChangePassword: Type.Boolean({ description: 'Until the person has chosen a password nothing else is allowed' }),
      refreshToken: Type.Optional(Type.String({ description: 'Only for clients that ask by the header x-refresh-in-body: yes' }))
    },
    closed
  )
)
export const RefreshBody = Type.Optional(Type.Union([Type.Object({ refreshToken: Type.Optional(Text(2_000)) }, closed), Null]))
export const AcceptBody = Type.Object({ token: Text(300), password }, closed)
export const AcceptedShape = Type.Object({ customer: Type.String(), username: Type.String() }, closed)
export const PasswordBody = Type.Object({ current: password, password }, closed)

const NamedRef = Type.Object({ id: Id, name: Type.String() }, closed)
export const MeShape = named(
  'Me',
  Type.Object(
    {
      id: Id,
      customer: Type.String(),
      zone: Type.String(),
      username: Type.String(),
      name: Type.Union([Type.String(), Null]),
      employeeId: Type.Union([Id, Null]),
      roles: Type.Array(NamedRef),
      groups: Type.Array(NamedRef),
      permissions: Type.Array(Type.String()),
      mustChangePassword: Type.Boolean()
    },
    closed
  )
)
export const SessionShape = Type.Object(
  { id: Id, current: Type.Boolean(), createdAt: Instant, lastUsedAt: Instant, expiresAt: Instant },
  closed
)

export const UserShape = named(
  'User',
  Type.Object(
    {
      id: Id,
      username: Type.String(),
      name: Type.Union([Type.String(), Null]),
      employeeId: Type.Union([Id, Null]),
      active: Type.Boolean(),
      invited: Type.Boolean({ description: 'No password chosen yet' }),
      mustChangePassword: Type.Boolean(),
      lastSignInAt: Type.Union([Instant, Null]),
      roles: Type.Array(NamedRef),
      groups: Type.Array(NamedRef)
    },
    closed
  )
)
export const NewUserBody = Type.Object(
  {
    username: Type.String({
      minLength: 2,
      maxLength: 60,
      pattern: usernamePattern,
      description: 'No spaces; no e-mail address is needed'
    }),
    name: Type.Optional(Text(120)),
    employeeNumber: Type.Optional(Text(40)),
    roleIds: Ids,
    groupIds: Ids,
    password: Type.Optional(password),
    mustChangePassword: Type.Optional(
      Type.Boolean({ default: true, description: 'With a password given here: the person must choose another one before anything else' })
    )
  },
  closed
)
export const NewUserShape = Type.Object(
  { user: UserShape, inviteLink: Type.Union([Type.String(), Null], { description: 'One-time link; shown once' }) },
  closed
)
export const ChangeUserBody = Type.Object(
  {
    active: Type.Optional(Type.Boolean()),
    name: Type.Optional(Type.Union([Text(120), Null])),
    employeeNumber: Type.Optional(Type.Union([Text(40), Null])),
    roleIds: Type.Optional(Ids),
    groupIds: Type.Optional(Ids)
  },
  { ...closed, minProperties: 1 }
)

const permissions = Type.Array(Text(60), { maxItems: 300, uniqueItems: true })
export const RoleShape = named(
  'Role',
  Type.Object(
    { id: Id, name: Type.String(), builtIn: Type.Boolean(), permissions: Type.Array(Type.String()), version: Type.Integer() },
    closed
  )
)
export const NewRoleBody = Type.Object({ name: Text(60), permissions }, closed)
const version = Type.Integer({ minimum: 1, description: 'The version that was read; another one is refused' })
export const VersionQuery = Type.Object({ version }, closed)
export const ChangeRoleBody = Type.Object({ version, permissions }, closed)

const kinds = Type.Union([
  Type.Literal('all'),
  Type.Literal('department'),
  Type.Literal('work_centre'),
  Type.Literal('order'),
  Type.Literal('order_pattern', { description: 'Pattern of the order number: % stands for any text, _ for one character' })
])
const RuleShape = Type.Object({ kind: kinds, value: Type.String({ maxLength: 60, pattern: '^[^\\u0000-\\u001f\\u007f]*$' }) }, closed)
export const GroupShape = named(
  'OperationalGroup',
  Type.Object({ id: Id, name: Type.String(), rules: Type.Array(RuleShape), version: Type.Integer() }, closed)
)
const rules = Type.Array(RuleShape, { maxItems: 500 })
export const NewGroupBody = Type.Object({ name: Text(60), rules }, closed)
export const ChangeGroupBody = Type.Object({ version, rules }, closed)
export const DepartmentShape = Type.Object({ code: Type.String(), name: Type.Union([Type.String(), Null]) }, closed)
export const DepartmentBody = Type.Object({ name: Type.Union([Text(100), Null]) }, closed)
export const WorkCentreShape = Type.Object({ code: Type.String(), department: Type.String() }, closed)
const unknownDepartments = Type.Union([Type.Literal('create'), Type.Literal('reject')], {
  description: 'A department code of a work order that is not in the list: taken in, or the work order is refused'
})
export const SettingShape = named('AccessSetting', Type.Object({ unknownDepartments, version: Type.Integer() }, closed))
export const SettingBody = Type.Object({ version, unknownDepartments }, closed)
export const CoveredShape = Type.Object(
  {
    count: Type.Integer(),
    items: Type.Array(
      Type.Object(
        { jobId: Id, orderNumber: Type.String(), department: Type.String(), workCentre: Type.Union([Type.String(), Null]) },
        closed
      )
    )
  },
  closed
)

export const ApiKeyShape = named(
  'ApiKey',
  Type.Object(
    {
      id: Id,
      name: Type.String(),
      permissions: Type.Array(Type.String()),
      groupIds: Type.Array(Id),
      addresses: Type.Array(Type.String()),
      expiresAt: Instant,
      revokedAt: Type.Union([Instant, Null]),
      createdAt: Instant
    },
    closed
  )
)
export const NewApiKeyBody = Type.Object(
  {
    name: Text(60),
    permissions: Type.Array(Text(60), { minItems: 1, maxItems: 300, uniqueItems: true }),
    groupIds: Ids,
    addresses: Type.Optional(Type.Array(Text(45), { maxItems: 50, description: 'Exact IP addresses; none means any' })),
    days: Type.Integer({ minimum: 1, maximum: 730 })
  },
  closed
)
export const NewApiKeyShape = Type.Object(
  {
    key: Type.Union([Type.String(), Null], { description: 'Shown once: a repeat with the same Idempotency-Key does not show it' }),
    apiKey: ApiKeyShape
  },
  closed
)

const Part = { ok: Type.Boolean(), sentence: Type.String() }
export const WhyShape = Type.Object(
  {
    answer: Type.Boolean(),
    role: Type.Object({ ...Part, roles: Type.Array(Type.String()) }, closed),
    group: Type.Union([Type.Object({ ...Part, groups: Type.Array(Type.String()) }, closed), Null])
  },
  closed
)
export const List = <T extends Parameters<typeof Type.Array>[0]>(item: T) => Type.Object({ items: Type.Array(item) }, closed)
