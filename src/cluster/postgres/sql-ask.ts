// Requests of locks and permits.

export const askSql = `
-- Enters a request. What it says: 'g'ranted, 'w'aits, 'u'navailable, the session is 'o'ver, another
-- number of 'p'ermits. Of an unavailable lock also who holds it.
create or replace function holdfast.ask(
  in_namespace text, in_kind "char", in_key text, in_name text, in_session integer,
  in_request bigint, in_exclusive boolean, in_permits integer, if_available boolean, steal boolean,
  in_inside bigint[] default '{}',
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
    insert into holdfast.waits (namespace, kind, key, session, request, is_exclusive, inside)
      values (in_namespace, in_kind, in_key, in_session, in_request, in_exclusive, in_inside);
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
`;
