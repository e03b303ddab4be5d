import type { Floor } from './floor.ts'

/** Levels of an article: location, with `#` and the lot where there is one, to quantity. */
export const levelsOf = async ({ rows }: Floor, article: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    (
      await rows<{ place: string; quantity: string }>(
        `select l.code || coalesce(nullif('#' || v.lot, '#'), '') as place, trim_scale(v.quantity)::text as quantity
           from inventory.level v join inventory.article a on a.id = v.article_id join inventory.location l on l.id = v.location_id
          where a.number = $1 order by 1`,
        [article]
      )
    ).map(row => [row.place, row.quantity])
  )
