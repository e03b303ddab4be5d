import type { Category, Dictionary } from '../../core/index.ts'

type Text = readonly [en: string, nl: string, category: Category]

const times: Readonly<Record<string, Text>> = {
  created_at: ['When the row was made.', 'Wanneer de regel is gemaakt.', 'technical'],
  changed_at: ['When the row last changed.', 'Wanneer de regel voor het laatst is gewijzigd.', 'technical']
}
const version: Readonly<Record<string, Text>> = {
  version: ['Counts changes of the row.', 'Telt de wijzigingen van de regel.', 'technical']
}
const id = (en: string, nl: string): Readonly<Record<string, Text>> => ({ id: [`Id of the ${en}.`, `Sleutel van ${nl}.`, 'technical'] })
const made = { created_at: times.created_at as Text }
const token: Readonly<Record<string, Text>> = {
  lookup: ['Part of the token that finds the row.', 'Deel van het token waarmee de regel wordt gevonden.', 'technical'],
  digest: ["SHA-256 of the token's secret part.", 'SHA-256 van het geheime deel van het token.', 'secret']
}

const tables: Readonly<Record<string, Readonly<Record<string, Text>>>> = {
  user: {
    ...id('user', 'de gebruiker'),
    username_blind: ['Blind index of the user name.', 'Blinde index van de gebruikersnaam.', 'personal'],
    username_sealed: ['User name, encrypted.', 'Gebruikersnaam, versleuteld.', 'personal'],
    name_sealed: ['Name shown, encrypted.', 'Getoonde naam, versleuteld.', 'personal'],
    employee_id: ['Employee that the user is.', 'Medewerker die deze gebruiker is.', 'personal'],
    active: ['Whether the user may sign in.', 'Of de gebruiker mag inloggen.', 'business'],
    password_phc: ['Password as argon2id hash.', 'Wachtwoord als argon2id-hash.', 'secret'],
    must_change: [
      'Whether the person must choose a password first.',
      'Of de gebruiker eerst zelf een wachtwoord moet kiezen.',
      'technical'
    ],
    last_sign_in_at: ['Last sign-in.', 'Laatste keer ingelogd.', 'personal'],
    ...version,
    ...times
  },
  role: {
    ...id('role', 'de rol'),
    name: ['What the role is called.', 'Hoe de rol heet.', 'business'],
    built_in: ['Comes with the product and cannot be changed.', 'Hoort bij het product en is niet te wijzigen.', 'business'],
    permissions: ['What the role allows.', 'Wat de rol toestaat.', 'business'],
    ...version,
    ...times
  },
  user_role: {
    user_id: ['The user.', 'De gebruiker.', 'personal'],
    role_id: ['The role.', 'De rol.', 'business'],
    ...made
  },
  operational_group: {
    ...id('operational group', 'de operationele groep'),
    name: ['What the group is called.', 'Hoe de groep heet.', 'business'],
    ...version,
    ...times
  },
  group_rule: {
    group_id: ['The operational group.', 'De operationele groep.', 'business'],
    kind: ['By what jobs are selected.', 'Waarop bewerkingen worden gekozen.', 'business'],
    value: ['Department, work centre, order number or pattern.', 'Afdeling, werkcentrum, ordernummer of patroon.', 'business'],
    ...made
  },
  group_member: {
    group_id: ['The operational group.', 'De operationele groep.', 'business'],
    user_id: ['The user.', 'De gebruiker.', 'personal'],
    ...made
  },
  session: {
    ...id('session', 'de sessie'),
    user_id: ['Whose session it is.', 'Van wie de sessie is.', 'personal'],
    ...token,
    rotations: ['How often the refresh token changed.', 'Hoe vaak het verversingstoken is gewisseld.', 'technical'],
    rotated_at: ['When the session was last refreshed.', 'Wanneer de sessie voor het laatst is ververst.', 'personal'],
    client: ['MAC of address and browser of the last refresh.', 'MAC van adres en browser van de laatste verversing.', 'personal'],
    expires_at: ['When it ends by itself.', 'Wanneer de sessie vanzelf eindigt.', 'technical'],
    ended_at: ['When it ended.', 'Wanneer de sessie is beëindigd.', 'technical'],
    ended_reason: ['Why it ended.', 'Waarom de sessie is beëindigd.', 'technical'],
    ...times
  },
  api_key: {
    ...id('API key', 'de API-sleutel'),
    name: ['What the key is for.', 'Waarvoor de sleutel is.', 'business'],
    ...token,
    permissions: ['What the key allows.', 'Wat de sleutel toestaat.', 'business'],
    group_ids: ['Operational groups whose jobs it may reach.', 'Operationele groepen waarvoor de sleutel geldt.', 'business'],
    addresses: ['IP addresses it may come from.', 'IP-adressen waarvandaan de sleutel mag worden gebruikt.', 'technical'],
    expires_at: ['When it stops working.', 'Wanneer de sleutel verloopt.', 'technical'],
    revoked_at: ['When it was revoked.', 'Wanneer de sleutel is ingetrokken.', 'technical'],
    ...times
  },
  invitation: {
    ...id('one-time link', 'de eenmalige link'),
    user_id: ['For whom the link is.', 'Voor wie de link is.', 'personal'],
    ...token,
    expires_at: ['Until when it works.', 'Tot wanneer de link werkt.', 'technical'],
    used_at: ['When it was used or replaced.', 'Wanneer de link is gebruikt of vervangen.', 'technical'],
    ...times
  },
  sign_in_attempt: {
    seq: ['Order of the attempts.', 'Volgorde van de pogingen.', 'technical'],
    account_blind: ['Blind index of what was typed as user name.', 'Blinde index van de ingevoerde gebruikersnaam.', 'personal'],
    address_blind: ['Blind index of the IP address.', 'Blinde index van het IP-adres.', 'personal'],
    at: ['When it was tried.', 'Wanneer het is geprobeerd.', 'personal'],
    outcome: ['Whether it succeeded.', 'Of het is gelukt.', 'technical'],
    ...made
  },
  employee_link: {
    ...id('employee, as timekeeping made it', 'de medewerker, zoals urenregistratie die maakte'),
    number_blind: ['Blind index of the employee number.', 'Blinde index van het medewerkernummer.', 'personal'],
    active: ['Whether the employee is active.', 'Of de medewerker actief is.', 'personal'],
    ...times
  },
  department: {
    code: ['Department code of the ERP.', 'Afdelingscode van het ERP.', 'business'],
    name: ['What the department is called.', 'Hoe de afdeling heet.', 'business'],
    ...times
  },
  work_centre: {
    code: ['Code of the work centre.', 'Code van het werkcentrum.', 'business'],
    department_code: ['The department it was seen in.', 'De afdeling waarin het is gezien.', 'business'],
    ...made
  },
  job_scope: {
    job_id: ['The job.', 'De bewerking.', 'technical'],
    order_number: ['Number of its work order.', 'Nummer van de werkorder.', 'business'],
    department_code: ['Its department.', 'De afdeling.', 'business'],
    work_centre: ['Its work centre, if it has one.', 'Het werkcentrum, als dat er is.', 'business'],
    ...times
  },
  setting: {
    singleton: ['There is one row.', 'Er is één regel.', 'technical'],
    unknown_departments: [
      'Whether new department codes are taken in or refused.',
      'Of nieuwe afdelingscodes worden overgenomen of geweigerd.',
      'business'
    ],
    ...version,
    ...times
  }
}

export const dictionary: Dictionary = Object.fromEntries(
  Object.entries(tables).flatMap(([table, columns]) =>
    Object.entries(columns).map(([column, [en, nl, category]]) => [`authz.${table}.${column}`, { en, nl, category }])
  )
)
