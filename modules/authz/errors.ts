import { type RefusalSpecs, refuser } from '../../core/index.ts'

export const authzErrors = {
  sign_in_failed: {
    kind: 'unauthenticated',
    title: 'Sign-in failed',
    remedy: 'Check customer, user name and password; after some tries wait as long as Retry-After says.'
  },
  session_ended: { kind: 'unauthenticated', title: 'The session has ended', remedy: 'Sign in again.' },
  invitation_invalid: {
    kind: 'gone',
    title: 'The link is used or too old',
    remedy: 'Ask an administrator for a new one.'
  },
  password_weak: {
    kind: 'invalid',
    title: 'The password is not strong enough',
    remedy: 'Choose a short sentence of at least 8 characters.'
  },
  password_wrong: { kind: 'forbidden', title: 'The current password is wrong', remedy: 'Type the password you sign in with now.' },
  user_unknown: { kind: 'not_found', title: 'Unknown user', remedy: 'Read the list of users again.' },
  username_taken: { kind: 'conflict', title: 'The user name is taken', remedy: 'Choose another one.' },
  employee_number_unknown: {
    kind: 'invalid',
    title: 'Unknown employee number',
    remedy: 'The employee must come in from the ERP first; check the number.'
  },
  employee_linked: { kind: 'conflict', title: 'The employee has a user already', remedy: 'Change that user instead.' },
  role_unknown: { kind: 'invalid', title: 'Unknown role', remedy: 'Choose from the list of roles.' },
  role_exists: { kind: 'conflict', title: 'A role has this name', remedy: 'Choose another name.' },
  role_built_in: { kind: 'conflict', title: 'A built-in role cannot be changed', remedy: 'Make an own role beside it.' },
  group_unknown: { kind: 'invalid', title: 'Unknown operational group', remedy: 'Choose from the list of groups.' },
  group_exists: { kind: 'conflict', title: 'A group has this name', remedy: 'Choose another name.' },
  group_missing: { kind: 'not_found', title: 'No such operational group', remedy: 'Read the list of groups again.' },
  group_rule_invalid: { kind: 'invalid', title: 'A rule of the group is not usable', remedy: 'Correct the rule named in `errors`.' },
  group_changed: {
    kind: 'precondition',
    title: 'The group was changed meanwhile',
    remedy: 'Read it again and repeat with the new version.'
  },
  role_missing: { kind: 'not_found', title: 'No such role', remedy: 'Read the list of roles again.' },
  role_changed: { kind: 'precondition', title: 'The role was changed meanwhile', remedy: 'Read it again and repeat with the new version.' },
  access_setting_changed: {
    kind: 'precondition',
    title: 'The setting was changed meanwhile',
    remedy: 'Read it again and repeat with the new version.'
  },
  permission_unknown: { kind: 'invalid', title: 'Unknown permission', remedy: 'Choose from the catalogue at /api/v1/permissions.' },
  permission_not_held: {
    kind: 'forbidden',
    title: 'Nobody gives what they do not hold',
    remedy: 'Let somebody who holds the permission give it.'
  },
  jobs_not_held: {
    kind: 'forbidden',
    title: 'Nobody gives jobs that they do not have',
    remedy: 'Let somebody whose groups cover these jobs do it.'
  },
  last_administrator: {
    kind: 'conflict',
    title: 'The last administrator stays',
    remedy: 'Make somebody else administrator first.'
  },
  address_invalid: { kind: 'invalid', title: 'This is no IP address', remedy: 'Give exact IPv4 or IPv6 addresses.' },
  api_key_unknown: { kind: 'not_found', title: 'Unknown API key', remedy: 'Read the list of keys again.' }
} as const satisfies RefusalSpecs

export const refuse = refuser(authzErrors)
