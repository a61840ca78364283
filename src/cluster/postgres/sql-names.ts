// What the functions of the schema share: the state of one name.

/**
 * `'hold'` as an integer is the class of the advisory locks of sessions, `'holq'` of queues,
 * `'holw'` of the end of a wait.
 */
export const namesSql = `
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
`;
