// Job queues. A job that nobody has taken has no session.

export const jobsSql = `
-- A put and a taker that found nothing must not miss each other. Who puts has this shared, and who
-- enlists as a taker has it alone, and looks once more.
create or replace function holdfast.queue_lock(in_namespace text, in_queue text) returns integer
language sql immutable as $$
  select hashtext(in_namespace || e'\\\\:' || in_queue)
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
`;
