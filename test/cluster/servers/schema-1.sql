create schema holdfast;

create table holdfast.meta (version integer not null);
insert into holdfast.meta values (0);

-- Not of the table, whose sequence would begin again after a crash.
create sequence holdfast.session_ids as integer minvalue 1 cycle;

create unlogged table holdfast.sessions (
  id integer primary key,
  namespace text collate "C" not null,
  -- It has an advisory lock, which ends with its connection.
  by_connection boolean not null,
  ttl interval not null,
  expires timestamptz not null
);

create unlogged table holdfast.locks (
  namespace text collate "C" not null,
  kind "char" not null, -- 'l' lock, 's' semaphore
  key text collate "C" not null,
  name text not null,
  token bigint not null,
  permits integer, -- of a semaphore
  is_exclusive boolean not null default false,
  abandoned boolean not null default false,
  holders integer[] not null default '{}', -- sessions
  requests bigint[] not null default '{}', -- and the number that each gave to its request
  -- Rows of the name in waits. If nobody holds the name, nobody waits.
  waiting integer not null default 0,
  primary key (namespace, kind, key)
) with (fillfactor = 50);

create unlogged table holdfast.waits (
  namespace text collate "C" not null,
  kind "char" not null,
  key text collate "C" not null,
  place bigint generated always as identity,
  session integer not null,
  request bigint not null,
  is_exclusive boolean not null,
  primary key (namespace, kind, key, place)
);
create index waits_session on holdfast.waits (session, request);

create table holdfast.jobs (
  id bigint generated always as identity primary key,
  namespace text collate "C" not null,
  queue text collate "C" not null,
  value text not null,
  deliveries integer not null default 0,
  token bigint not null default 0,
  session integer -- who has taken it
) with (fillfactor = 70);
create index jobs_waiting on holdfast.jobs (namespace, queue, id) where session is null;
create index jobs_taken on holdfast.jobs (session) where session is not null;

-- Sessions that found a queue empty.
create unlogged table holdfast.takers (
  namespace text collate "C" not null,
  queue text collate "C" not null,
  session integer not null,
  primary key (namespace, queue, session)
);


-- The greatest token but one that the clock allows: microseconds.
create or replace function holdfast.next_token(last bigint) returns bigint
language sql volatile as $$
  select greatest(last + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
$$;

create or replace function holdfast.tell(session integer, what text) returns void
language sql volatile as $$
  select pg_notify('holdfast_' || session, what)
$$;

-- Takes out holders whose session is gone. The row of the name is locked, and not written here.
create or replace function holdfast.without_dead(l holdfast.locks) returns holdfast.locks
language plpgsql volatile as $$
declare
  alive integer[];
begin
  if l.holders = '{}' then return l; end if;
  select array_agg(id) into alive from holdfast.sessions where id = any(l.holders);
  if l.holders <@ coalesce(alive, '{}') then return l; end if;
  l.abandoned := l.abandoned or l.is_exclusive;
  select coalesce(array_agg(h order by n), '{}'), coalesce(array_agg(r order by n), '{}')
    into l.holders, l.requests
    from unnest(l.holders, l.requests) with ordinality as one(h, r, n)
    where h = any(coalesce(alive, '{}'));
  return l;
end $$;

create or replace function holdfast.may_hold(l holdfast.locks, is_exclusive boolean) returns boolean
language sql immutable as $$
  select l.holders = '{}' or not is_exclusive and not l.is_exclusive
    and (l.permits is null or cardinality(l.holders) < l.permits)
$$;

-- Makes a request a holder. The row of the name is locked, and not written here.
create or replace function holdfast.with_holder(
  l holdfast.locks, session integer, request bigint, is_exclusive boolean
) returns holdfast.locks
language plpgsql volatile as $$
begin
  l.token := holdfast.next_token(l.token);
  l.is_exclusive := is_exclusive;
  l.holders := l.holders || session;
  l.requests := l.requests || request;
  return l;
end $$;

create or replace function holdfast.write(l holdfast.locks) returns void
language sql volatile as $$
  update holdfast.locks set token = l.token, permits = l.permits, is_exclusive = l.is_exclusive,
      abandoned = l.abandoned, holders = l.holders, requests = l.requests, waiting = l.waiting
    where namespace = l.namespace and kind = l.kind and key = l.key
$$;

-- Grants to those who wait, from the head of the line, and tells them. The same.
create or replace function holdfast.hand_over(l holdfast.locks) returns holdfast.locks
language plpgsql volatile as $$
declare
  w holdfast.waits;
begin
  while l.waiting > 0 loop
    select * into w from holdfast.waits
      where namespace = l.namespace and kind = l.kind and key = l.key
      order by place limit 1;
    if exists (select from holdfast.sessions where id = w.session) then
      exit when not holdfast.may_hold(l, w.is_exclusive);
      l := holdfast.with_holder(l, w.session, w.request, w.is_exclusive);
      perform holdfast.tell(w.session, concat_ws(' ', 'g', w.request, l.token, l.abandoned));
      l.abandoned := l.abandoned and not w.is_exclusive;
    end if;
    delete from holdfast.waits
      where namespace = l.namespace and kind = l.kind and key = l.key and place = w.place;
    l.waiting := l.waiting - 1;
  end loop;
  return l;
end $$;

-- Makes a session. Who calls it keeps the connection for as long as the session lives.
create or replace function holdfast.open_session(
  in_namespace text, ttl_ms integer, in_by_connection boolean
) returns integer
language plpgsql volatile as $$
declare
  found_id integer := nextval('holdfast.session_ids');
  lease interval := make_interval(secs => ttl_ms / 1000.0);
begin
  if in_by_connection then perform pg_advisory_lock(1752132708, found_id); end if;
  insert into holdfast.sessions
    values (found_id, in_namespace, in_by_connection, lease, clock_timestamp() + lease);
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

-- Enters a request. What it says: 'g'ranted, 'w'aits, 'u'navailable, the session is 'o'ver, another
-- number of 'p'ermits. Of an unavailable lock also who holds it.
create or replace function holdfast.ask(
  in_namespace text, in_kind "char", in_key text, in_name text, in_session integer,
  in_request bigint, in_exclusive boolean, in_permits integer, if_available boolean, steal boolean,
  out answer "char", out token bigint, out abandoned boolean, out in_the_way integer[]
) language plpgsql volatile as $$
declare
  l holdfast.locks;
begin
  -- Most find the name free, and nothing to be told.
  update holdfast.locks k set
      token = greatest(k.token + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint),
      is_exclusive = in_exclusive, holders = array[in_session], requests = array[in_request]
    where k.namespace = in_namespace and k.kind = in_kind and k.key = in_key
      and k.holders = '{}' and not k.abandoned and k.permits is not distinct from in_permits
      and exists (select from holdfast.sessions where id = in_session)
    returning 'g', k.token, false into answer, token, abandoned;
  if found then return; end if;
  if not exists (select from holdfast.sessions where id = in_session) then
    answer := 'o';
    return;
  end if;
  loop
    select * into l from holdfast.locks
      where namespace = in_namespace and kind = in_kind and key = in_key for no key update;
    exit when found;
    insert into holdfast.locks (namespace, kind, key, name, token)
      values (in_namespace, in_kind, in_key, in_name, 0) on conflict do nothing;
  end loop;
  if l.waiting > 0 or not holdfast.may_hold(l, in_exclusive) then
    l := holdfast.hand_over(holdfast.without_dead(l));
  end if;
  if l.permits is distinct from in_permits then
    if l.holders <> '{}' then
      answer := 'p';
      perform holdfast.write(l);
      return;
    end if;
    l.permits := in_permits;
  end if;
  if steal then
    perform holdfast.tell(h, 's ' || r) from unnest(l.holders, l.requests) as one(h, r);
    l.holders := '{}';
    l.requests := '{}';
  end if;
  if steal or l.waiting = 0 and holdfast.may_hold(l, in_exclusive) then
    l := holdfast.with_holder(l, in_session, in_request, in_exclusive);
    answer := 'g';
    token := l.token;
    abandoned := l.abandoned;
    l.abandoned := l.abandoned and not in_exclusive;
  elsif if_available then
    answer := 'u';
    in_the_way := l.holders || array(select session from holdfast.waits
      where namespace = in_namespace and kind = in_kind and key = in_key);
  else
    answer := 'w';
    insert into holdfast.waits (namespace, kind, key, session, request, is_exclusive)
      values (in_namespace, in_kind, in_key, in_session, in_request, in_exclusive);
    l.waiting := l.waiting + 1;
  end if;
  perform holdfast.write(l);
end $$;

-- Ends a request, whether it holds or waits. True if it held.
create or replace function holdfast.finish(
  in_namespace text, in_kind "char", in_key text, in_session integer, in_request bigint
) returns boolean
language plpgsql volatile as $$
declare
  l holdfast.locks;
  held boolean;
  withdrawn integer;
begin
  -- Most hold alone, and nobody waits.
  update holdfast.locks set holders = '{}', requests = '{}'
    where namespace = in_namespace and kind = in_kind and key = in_key
      and holders = array[in_session] and requests = array[in_request] and waiting = 0;
  if found then return true; end if;
  select * into l from holdfast.locks
    where namespace = in_namespace and kind = in_kind and key = in_key for no key update;
  if not found then return false; end if;
  select coalesce(array_agg(h order by n), '{}'), coalesce(array_agg(r order by n), '{}'),
      count(*) < cardinality(l.holders)
    into l.holders, l.requests, held
    from unnest(l.holders, l.requests) with ordinality as one(h, r, n)
    where h <> in_session or r <> in_request;
  if not held then
    delete from holdfast.waits where session = in_session and request = in_request;
    get diagnostics withdrawn = row_count;
    l.waiting := l.waiting - withdrawn;
  end if;
  perform holdfast.write(holdfast.hand_over(l));
  return held;
end $$;

-- The requests of a namespace: of holders, and then of those who wait, in their order.
create or replace function holdfast.query(
  in_namespace text, out name text, out is_exclusive boolean, out session integer, out held boolean
) returns setof record language sql stable as $$
  select l.name, l.is_exclusive, s.id, true
    from holdfast.locks l cross join unnest(l.holders) as h(id)
    join holdfast.sessions s on s.id = h.id and s.expires > clock_timestamp()
    where l.namespace = in_namespace and l.kind = 'l' and l.holders <> '{}'
  union all (select l.name, w.is_exclusive, s.id, false
    from holdfast.waits w join holdfast.locks l using (namespace, kind, key)
    join holdfast.sessions s on s.id = w.session and s.expires > clock_timestamp()
    where w.namespace = in_namespace and w.kind = 'l' order by w.place)
$$;

-- A put and a taker that found nothing must not miss each other. Who puts has this shared, and who
-- enlists as a taker has it alone, and looks once more.
create or replace function holdfast.queue_lock(in_namespace text, in_queue text) returns integer
language sql immutable as $$
  select hashtext(in_namespace || e'\\:' || in_queue)
$$;

create or replace function holdfast.tell_takers(in_namespace text, in_queue text) returns void
language plpgsql volatile as $$
declare
  found_session integer;
begin
  for found_session in delete from holdfast.takers
      where namespace = in_namespace and queue = in_queue returning session loop
    perform holdfast.tell(found_session, 'j ' || in_queue);
  end loop;
end $$;

create or replace function holdfast.put(in_namespace text, in_queue text, in_values text[])
returns void
language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock_shared(1752132721, holdfast.queue_lock(in_namespace, in_queue));
  insert into holdfast.jobs (namespace, queue, value)
    select in_namespace, in_queue, v from unnest(in_values) with ordinality as one(v, n) order by n;
  perform holdfast.tell_takers(in_namespace, in_queue);
end $$;

create or replace function holdfast.take_now(
  in_namespace text, in_queue text, in_session integer, most integer
) returns setof holdfast.jobs
language sql volatile as $$
  with free as (
    select id from holdfast.jobs
      where namespace = in_namespace and queue = in_queue and session is null
      order by id limit most for update skip locked
  ), taken as (
    update holdfast.jobs j set session = in_session, deliveries = deliveries + 1,
        token = holdfast.next_token(j.token)
      from free where j.id = free.id returning j.*
  ) select * from taken order by id
$$;

-- Takes jobs. Fails with HF001 if the session is over. After that only the ends of a task are lost
-- with a crash of the server, and it is handed out again: so the disk is not waited for.
create or replace function holdfast.take(
  in_namespace text, in_queue text, in_session integer, most integer
) returns setof holdfast.jobs
language plpgsql volatile as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  perform from holdfast.sessions where id = in_session for key share;
  if not found then raise exception 'the session is over' using errcode = 'HF001'; end if;
  return query select * from holdfast.take_now(in_namespace, in_queue, in_session, most);
  if found then return; end if;
  perform pg_advisory_xact_lock(1752132721, holdfast.queue_lock(in_namespace, in_queue));
  return query select * from holdfast.take_now(in_namespace, in_queue, in_session, most);
  if found then return; end if;
  insert into holdfast.takers values (in_namespace, in_queue, in_session) on conflict do nothing;
end $$;

create or replace function holdfast.stop_waiting(
  in_namespace text, in_queue text, in_session integer
) returns void
language sql volatile as $$
  delete from holdfast.takers
    where namespace = in_namespace and queue = in_queue and session = in_session
$$;

-- Ends tasks. How many of them the session had.
create or replace function holdfast.settle(
  in_namespace text, in_queue text, in_session integer, done bigint[], retry bigint[]
) returns integer
language plpgsql volatile as $$
declare
  ended integer;
  given_back integer := 0;
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from holdfast.jobs where id = any(done) and session = in_session;
  get diagnostics ended = row_count;
  if retry <> '{}' then
    perform pg_advisory_xact_lock_shared(1752132721, holdfast.queue_lock(in_namespace, in_queue));
    update holdfast.jobs set session = null where id = any(retry) and session = in_session;
    get diagnostics given_back = row_count;
    perform holdfast.tell_takers(in_namespace, in_queue);
  end if;
  return ended + given_back;
end $$;

-- Gives back what a session has taken, or without one what any session has that is gone.
create or replace function holdfast.free_jobs(in_session integer) returns void
language plpgsql volatile as $$
declare
  q record;
begin
  for q in select distinct namespace, queue from holdfast.jobs
      where session is not null and (session = in_session or in_session is null
        and not exists (select from holdfast.sessions s where s.id = session))
      order by namespace, queue loop
    perform pg_advisory_xact_lock_shared(1752132721, holdfast.queue_lock(q.namespace, q.queue));
    update holdfast.jobs j set session = null
      where namespace = q.namespace and queue = q.queue and session is not null
        and (session = in_session or in_session is null
          and not exists (select from holdfast.sessions s where s.id = j.session));
    perform holdfast.tell_takers(q.namespace, q.queue);
  end loop;
end $$;

update holdfast.meta set version = 1;
