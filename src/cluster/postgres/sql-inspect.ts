// What tools show of a namespace.

export const inspectSql = `
create or replace function holdfast.inspect(in_namespace text) returns json
language sql stable as $$
  select json_build_object(
    'locks', (select coalesce(json_agg(json_build_object(
        'kind', l.kind, 'name', l.name, 'permits', l.permits, 'token', l.token::text,
        'exclusive', l.is_exclusive, 'age',
        extract(epoch from clock_timestamp()) * 1000 - l.token / 1000,
        'holders', (select json_agg(json_build_object('session', s.id, 'client', s.client))
          from unnest(l.holders) with ordinality as h(id, n) join holdfast.sessions s using (id)
          where s.expires > clock_timestamp()),
        'waiters', (select json_agg(json_build_object('session', s.id, 'client', s.client,
            'exclusive', w.is_exclusive,
            'age', extract(epoch from clock_timestamp() - w.since) * 1000) order by w.place)
          from holdfast.waits w join holdfast.sessions s on s.id = w.session
          where w.namespace = l.namespace and w.kind = l.kind and w.key = l.key
            and s.expires > clock_timestamp())) order by l.kind, l.name), '[]')
      from holdfast.locks l where l.namespace = in_namespace and l.holders <> '{}'),
    'queues', (select coalesce(json_agg(json_build_object(
        'key', queue, 'waiting', waiting, 'taken', taken) order by queue), '[]')
      from (select queue, count(*) filter (where session is null) as waiting,
          count(session) as taken
        from holdfast.jobs where namespace = in_namespace group by queue) q))
$$;
`;
