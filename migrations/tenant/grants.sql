-- Rights of the app role in its tenant's database. Idempotent; run as the owner after every migration.
-- :"app" is the role's name in psql's own syntax, so the file also runs by hand: psql -v app=<role> -f grants.sql
select set_config('werkvloer.app', :'app', false);
do $$
declare
  app text := current_setting('werkvloer.app');
  s record;
begin
  for s in select nspname from pg_namespace where nspowner = current_user::regrole and nspname <> 'public'
  loop
    execute format('grant usage on schema %I to %I', s.nspname, app);
    execute format('grant select, insert, update, delete on all tables in schema %I to %I', s.nspname, app);
    execute format('grant usage, select on all sequences in schema %I to %I', s.nspname, app);
  end loop;
end
$$;
-- The journal is insert-only.
revoke update, delete, truncate on all tables in schema journal from :"app";
-- A new epoch is begun by whoever restores or moves the database; under it the one before is sealed to its end.
revoke insert on journal.epoch from :"app";
-- Which migrations ran is the owner's business; the app may read it.
revoke insert, update, delete, truncate on core.migration from :"app";
