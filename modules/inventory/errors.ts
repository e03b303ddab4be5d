import { type RefusalSpecs, refuser } from '../../core/index.ts'

/** Refusal codes of the inventory. */
export const errors = {
  article_unknown: { kind: 'invalid', title: 'Unknown article', remedy: 'Check the number; the list is at /api/v1/articles.' },
  article_blocked: { kind: 'conflict', title: 'The article is blocked', remedy: 'Ask the planner; it is blocked in the ERP.' },
  article_unit_differs: {
    kind: 'conflict',
    title: 'Another unit than the article is kept in',
    remedy: 'Translate the unit in the mapping of the connection and have the order sent again.'
  },
  location_unknown: { kind: 'invalid', title: 'Unknown location', remedy: 'Check the code; the list is at /api/v1/locations.' },
  location_blocked: { kind: 'conflict', title: 'The location is blocked', remedy: 'Use another location.' },
  same_location: { kind: 'invalid', title: 'From and to are the same', remedy: 'Give two different locations.' },
  stock_too_low: {
    kind: 'conflict',
    title: 'Not enough stock',
    remedy: 'Take less, or count the location; this customer does not allow negative stock.'
  },
  wrong_article: { kind: 'conflict', title: 'Another article was scanned', remedy: 'Take the article that the line names.' },
  wrong_location: {
    kind: 'conflict',
    title: 'Another place was scanned',
    remedy: 'Go to the place that the line names, or say in `reason` why you take it elsewhere.'
  },
  pick_exceeds_request: { kind: 'conflict', title: 'More than the line asks for', remedy: 'Pick at most what is left of the line.' },
  pick_list_closed: { kind: 'conflict', title: 'The pick list is closed', remedy: 'Ask the planner for a new one.' },
  pick_line_full: { kind: 'conflict', title: 'Nothing is missing on this line', remedy: 'Nothing to do.' },
  act_reversed: { kind: 'conflict', title: 'Undone already', remedy: 'Read the ledger again.' },
  inventory_setting_changed: {
    kind: 'precondition',
    title: 'The setting was changed meanwhile',
    remedy: 'Read it again and repeat with the new version.'
  }
} as const satisfies RefusalSpecs

export const refuse = refuser(errors)
