import type pg from 'pg'

interface Line {
  readonly line: string
}

/**
 * The shape of a database as text: every column, constraint, index, trigger and function of our schemas, in a fixed order. Two databases
 * with the same text take the same statements.
 */
export async function shapeOf(client: pg.ClientBase): Promise<string> {
  const ours = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'public', 'jobs') and n.nspname !~ '^pg_'`
  const parts = [
    `select format('%I.%I  %s%s%s%s', n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then ' not null' else '' end,
        case a.attidentity when 'a' then ' identity' when 'd' then ' identity by default' else '' end,
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped and ${ours}
      order by n.nspname, c.relname, a.attnum`,
    `select format('%s.%s  constraint %s %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) as line
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      where k.contype in ('c', 'f', 'p', 'u', 'x') and ${ours} order by n.nspname, c.relname, k.conname`,
    `select format('%s.%s  index %s', n.nspname, t.relname, pg_get_indexdef(i.indexrelid)) as line
      from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace join pg_class x on x.oid = i.indexrelid
      where not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid) and ${ours} order by n.nspname, t.relname, x.relname`,
    `select format('%s.%s  trigger %s', n.nspname, c.relname, pg_get_triggerdef(g.oid)) as line
      from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
      where not g.tgisinternal and ${ours} order by n.nspname, c.relname, g.tgname`,
    `select format('function %s(%s)', n.nspname || '.' || p.proname, pg_get_function_identity_arguments(p.oid)) as line
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${ours} order by 1`
  ]
  const lines: string[] = []
  for (const part of parts) lines.push(...(await client.query<Line>(part)).rows.map(row => row.line))
  return `${lines.join('\n')}\n`
}
