// The script that runs inside Redis. One call is one atomic step; what is granted is granted in
// here. The first argument names the operation, the others are its own.
import { parts } from './script-parts.js';

const sessionOperations = `
local operations = {}

-- Looks for one of each command that the script runs. A step that was refused in its middle would
-- be half done, so the privileges are checked before the first step.
local function check_privileges()
  if not redis.acl_check_cmd then return nil end -- before Redis 7
  local samples = {
    'EXISTS 1', 'GET 1', 'SET 1 2', 'DEL 1', 'HGET 1 2', 'HSET 1 2 3', 'HSETNX 1 2 3', 'HDEL 1 2',
    'HEXISTS 1 2', 'HGETALL 1', 'SADD 1 2', 'SREM 1 2', 'SCARD 1', 'SMEMBERS 1', 'SRANDMEMBER 1',
    'ZADD 1 2 3', 'ZREM 1 2', 'ZCARD 1', 'ZSCORE 1 2', 'ZRANGE 1 0 0', 'ZPOPMIN 1',
    'ZRANGEBYSCORE 1 0 1', 'XADD 1 * v 2', 'XLEN 1', 'XACK 1 2 3', 'XDEL 1 2', 'XPENDING 1 2',
    'XCLAIM 1 2 3 0 4', 'XGROUP CREATE 1 2 0', 'XGROUP DELCONSUMER 1 2 3',
    'XREADGROUP GROUP g c STREAMS 1 >', 'PUBLISH 1 2', 'PUBSUB NUMSUB',
  }
  for _, sample in ipairs(samples) do
    local words = {}
    for word in sample:gmatch('%S+') do
      words[#words + 1] = word == '1' and prefix .. 'n' or word
    end
    if not redis.acl_check_cmd(unpack(words)) then
      return redis.error_reply('NOPERM this user may not run ' .. sample:match('^%u+'))
    end
  end
  return nil
end

-- format, session, lease: opens the session. Returns the format that the namespace has.
operations['open'] = function(format, session, lease)
  local refusal = check_privileges()
  if refusal then return refusal end
  redis.call('SET', prefix .. 'format', format, 'NX')
  local found = redis.call('GET', prefix .. 'format')
  if found == format then redis.call('ZADD', sessions, text(now + lease), session) end
  return found
end

-- session, lease, whether to look for sessions without a connection: renews the lease. Returns
-- whether there was one, and in how many us the next lease of another session ends, or -1.
operations['tend'] = function(session, lease, looks)
  local was_alive = is_alive(session)
  if was_alive then redis.call('ZADD', sessions, text(now + lease), session) end
  sweep()
  if looks == '1' then
    for _, other in ipairs(redis.call('ZRANGE', sessions, 0, -1)) do
      if other:sub(1, 1) == 'c' and other ~= session
          and redis.call('PUBSUB', 'NUMSUB', channel(other))[2] == 0 then
        end_session(other)
      end
    end
    serve_dirty()
  end
  local nearest = -1
  for _, other in ipairs(redis.call('ZRANGE', sessions, 0, 1)) do
    if other ~= session and nearest < 0 then
      nearest = tonumber(redis.call('ZSCORE', sessions, other)) - now
    end
  end
  return { was_alive and 1 or 0, nearest }
end

operations['close'] = function(session)
  end_session(session, true)
  serve_dirty()
end

-- All requests of all sessions: session, request, row.
operations['query'] = function()
  sweep()
  local all = {}
  for _, session in ipairs(redis.call('ZRANGE', sessions, 0, -1)) do
    local rows = redis.call('HGETALL', prefix .. 'r:' .. session)
    for i = 1, #rows, 2 do all[#all + 1] = { session, rows[i], rows[i + 1] } end
  end
  return all
end
`;

const requestOperations = `
local function steal(resource)
  local holders = prefix .. 'h:' .. resource
  for _, member in ipairs(redis.call('SMEMBERS', holders)) do
    local mode, session, request = member:match('^(.):(.-):(.*)$')
    redis.call('HDEL', prefix .. 'r:' .. session, request)
    tell(session, 's ' .. request)
  end
  redis.call('DEL', holders)
end

-- session, request, mode, how (wait, now or steal), resource, permits: asks for a resource.
operations['ask'] = function(session, request, mode, how, resource, permits)
  sweep()
  if not is_alive(session) then return { 'lost' } end
  if mode == 'p' then
    redis.call('HSETNX', prefix .. 'permits', resource, permits)
    local found = redis.call('HGET', prefix .. 'permits', resource)
    if found ~= permits then return { 'incompatible', found } end
  end
  if how == 'steal' then steal(resource) end
  local line = prefix .. 'q:' .. resource
  local is_free = how == 'steal' or redis.call('EXISTS', line) == 0
  if is_free and fits(resource, mode) then
    local token, was_abandoned = grant(session, request, mode, resource)
    return { 'granted', token, was_abandoned }
  end
  if how == 'now' then return { 'unavailable' } end
  local number = next_number()
  redis.call('ZADD', line, number, mode .. ':' .. session .. ':' .. request)
  note(session, request, 'q', mode, number, resource)
  return { 'waiting' }
end

-- session, request: releases it, or withdraws it. Returns 1 if it held.
operations['end'] = function(session, request)
  local rows = prefix .. 'r:' .. session
  local row = redis.call('HGET', rows, request)
  if not row then return 0 end
  redis.call('HDEL', rows, request)
  local held = forget(session, request, row)
  serve_dirty()
  return held and 1 or 0
end

-- For a session whose grant came by a message: a write on its connection, for WAIT to wait for.
operations['mark'] = function() return next_number() end
`;

const itemOperations = `
-- session, queue, most: leases items to the session. Returns what take() does, or false if the
-- session is lost.
operations['take'] = function(session, queue, most)
  sweep()
  return is_alive(session) and take(session, queue, tonumber(most))
end

-- session, queue: nobody in the session waits for an item any more.
operations['leave'] = function(session, queue)
  redis.call('ZREM', prefix .. 'w:' .. queue, session)
end

-- session, queue, the items that are done, those to be given back. Returns how many of them the
-- session had.
operations['settle'] = function(session, queue)
  give_back(queue, retry)
  return #done + #retry
end

-- queue: how many items nobody works on, and how many are leased.
operations['count'] = function(queue)
  local stream = prefix .. 'j:' .. queue
  local summary = redis.pcall('XPENDING', stream, 'holdfast')
  local leased = 0
  if not summary.err then
    leased = summary[1] - redis.call('ZCARD', prefix .. 'y:' .. queue)
  end
  return { redis.call('XLEN', stream) - leased, leased }
end

return operations[ARGV[1]](unpack(ARGV, 2, 7))
`;

/** For EVALSHA with one key: the beginning of all keys of the namespace, without the colon. */
export const script = [parts, sessionOperations, requestOperations, itemOperations].join('');
