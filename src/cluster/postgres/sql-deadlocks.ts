// Deadlocks: what the sessions tell of their waits, and the end of one wait. deadlocks.ts has the
// search, and says why there is no false alarm.

export const deadlocksSql = `
-- The session tells that its waits go on. Returns all waits of the namespace that have lasted for a
-- second and whose sessions tell of them, and all that those sessions hold. Null while none of
-- these waits keeps anything: then there is no deadlock. One statement reads it all, so it is of
-- one moment.
create or replace function holdfast.told_waits(in_namespace text, in_session integer) returns json
language plpgsql volatile as $$
begin
  update holdfast.sessions set told = told + 1 where id = in_session;
  return (with told as materialized (
    select w.*, s.told, s.client, l.name, l.permits
      from holdfast.waits w join holdfast.locks l using (namespace, kind, key)
      join holdfast.sessions s on s.id = w.session
      where w.namespace = in_namespace and s.told > 0 and w.inside is not null
        and w.since < clock_timestamp() - interval '1 second'
  ) select json_build_object(
      'waits', (select json_agg(json_build_object('kind', kind, 'key', key, 'name', name,
        'permits', permits, 'exclusive', is_exclusive, 'place', place, 'session', session,
        'request', request, 'inside', inside, 'told', told, 'client', client,
        'since', extract(epoch from since) * 1000,
        'age', extract(epoch from clock_timestamp() - since) * 1000)) from told),
      'holds', (select json_agg(json_build_object('kind', l.kind, 'key', l.key,
        'session', h.session, 'request', h.request, 'exclusive', l.is_exclusive))
        from holdfast.locks l cross join unnest(l.holders, l.requests) as h(session, request)
        where l.namespace = in_namespace and h.session in (select session from told)))
    where exists (select from told where inside <> '{}'));
end $$;

-- Ends a wait, if all waits of its circle are still there. One at a time in a namespace, so that
-- two circles with a common wait do not both lose one.
create or replace function holdfast.end_deadlock(
  in_namespace text, in_kind "char", in_key text, in_session integer, in_request bigint,
  circle_sessions integer[], circle_requests bigint[]
) returns boolean
language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(1752132727, hashtext(in_namespace));
  -- From here on nobody grants what this request waits for.
  perform from holdfast.locks
    where namespace = in_namespace and kind = in_kind and key = in_key for no key update;
  if exists (select from unnest(circle_sessions, circle_requests) as one(s, r) where not exists
      (select from holdfast.waits w where w.session = one.s and w.request = one.r)) then
    return false;
  end if;
  perform holdfast.finish(in_namespace, in_kind, in_key, in_session, in_request);
  return true;
end $$;
`;
