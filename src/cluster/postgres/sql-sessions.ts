// Sessions: their lease, their death, and how the others notice it.

export const sessionsSql = `
-- Makes a session. Who calls it keeps the connection for as long as the session lives.
create or replace function holdfast.open_session(
  in_namespace text, ttl_ms integer, in_by_connection boolean, in_client text default '{}'
) returns integer
language plpgsql volatile as $$
declare
  found_id integer := nextval('holdfast.session_ids');
  lease interval := make_interval(secs => ttl_ms / 1000.0);
begin
  if in_by_connection then perform pg_advisory_lock(1752132708, found_id); end if;
  insert into holdfast.sessions (id, namespace, by_connection, ttl, expires, client)
    values (found_id, in_namespace, in_by_connection, lease, clock_timestamp() + lease, in_client);
  perform holdfast.bury_expired();
  -- After a crash of the server, jobs are there, and the sessions that had taken them are not.
  perform holdfast.free_jobs(null);
  -- A name that nobody has used for a day. Its next token is greater by the clock alone.
  delete from holdfast.locks l where holders = '{}' and abandoned = false
    and token < (extract(epoch from clock_timestamp() - interval '1 day') * 1000000)::bigint
    and not exists (select from holdfast.waits w
      where w.namespace = l.namespace and w.kind = l.kind and w.key = l.key);
  return found_id;
end $$;

-- True if the session lives. Then its lease begins anew.
create or replace function holdfast.renew(in_session integer) returns boolean
language plpgsql volatile as $$
begin
  update holdfast.sessions set expires = clock_timestamp() + ttl
    where id = in_session and expires > clock_timestamp();
  return found;
end $$;

create or replace function holdfast.close_session(in_session integer) returns void
language plpgsql volatile as $$
begin
  delete from holdfast.sessions where id = in_session;
  perform holdfast.free_jobs(in_session);
  delete from holdfast.takers where session = in_session;
end $$;

-- Ends those of the sessions whose lease has run out or whose connection is gone. How many it were.
create or replace function holdfast.bury(ids integer[]) returns integer
language plpgsql volatile as $$
declare
  s record;
  buried integer := 0;
begin
  for s in select id, by_connection, expires <= clock_timestamp() as is_late
      from holdfast.sessions where id = any(ids) order by id loop
    if s.by_connection and pg_try_advisory_xact_lock(1752132708, s.id) then
      delete from holdfast.sessions where id = s.id;
    elsif s.is_late then
      delete from holdfast.sessions where id = s.id and expires <= clock_timestamp();
    else
      continue;
    end if;
    continue when not found;
    perform holdfast.free_jobs(s.id);
    delete from holdfast.takers where session = s.id;
    buried := buried + 1;
  end loop;
  return buried;
end $$;

create or replace function holdfast.bury_expired() returns integer
language sql volatile as $$
  select holdfast.bury(array(
    select id from holdfast.sessions where expires <= clock_timestamp()))
$$;

-- The other sessions that hold what this one waits for, or wait for it before this one, or have
-- jobs of a queue in which this one waits for a job.
create or replace function holdfast.ahead_of(in_session integer) returns integer[]
language sql stable as $$
  select array(
    select unnest(l.holders) as id
      from holdfast.waits w join holdfast.locks l using (namespace, kind, key)
      where w.session = in_session
    union select o.session
      from holdfast.waits w join holdfast.waits o using (namespace, kind, key)
      where w.session = in_session and o.place < w.place
    union select j.session
      from holdfast.takers t join holdfast.jobs j using (namespace, queue)
      where t.session = in_session and j.session is not null
    except select in_session
    order by id)
$$;

-- Waits for the death of a session that is ahead of this one, and ends the dead. For so long, at
-- most. True if one of them is dead: then call visit().
create or replace function holdfast.watch(in_session integer, most_ms integer) returns boolean
language plpgsql volatile as $$
declare
  ids integer[] := holdfast.ahead_of(in_session);
  first_id integer;
  buried integer := holdfast.bury(ids);
begin
  if buried > 0 or exists (select from unnest(ids) as one(id)
      where not exists (select from holdfast.sessions s where s.id = one.id)) then
    return true;
  end if;
  select min(id) into first_id from holdfast.sessions where id = any(ids) and by_connection;
  if first_id is null or most_ms <= 0 then return false; end if;
  perform set_config('lock_timeout', most_ms::text, true);
  begin
    perform pg_advisory_xact_lock(1752132708, first_id);
  exception when lock_not_available then
    return false;
  end;
  return holdfast.bury(array[first_id]) > 0;
end $$;

-- Takes the dead out of the names that this session waits for, and hands those names over.
create or replace function holdfast.visit(in_session integer) returns void
language plpgsql volatile as $$
declare
  l holdfast.locks;
begin
  for l in select * from holdfast.locks where (namespace, kind, key) in
      (select namespace, kind, key from holdfast.waits where session = in_session)
      order by namespace, kind, key for no key update loop
    perform holdfast.write(holdfast.hand_over(holdfast.without_dead(l)));
  end loop;
end $$;
`;
