// The first half of the script that runs inside Redis: the state of a namespace, and the functions
// that the operations (script.ts) are made of.
//
// All keys of a namespace begin with one hash tag, KEYS[1]:
//
//   n            the last number: a token, or a place in a line
//   sessions     sorted set: session -> when its lease ends (us of the server's clock)
//   r:<session>  hash: request -> state (h: holds, q: waits), mode, number, resource
//   h:<resource> set: who holds it, as mode:session:request
//   q:<resource> sorted set: who waits for it, by number
//   permits      hash: semaphore in use -> how many permits it has
//   abandoned    hash: the locks whose last exclusive holder lost it with its session
//   j:<queue>    stream: the items. Its group has a consumer for each session with a lease, and the
//                consumer `nobody`, which has what was given back
//   y:<queue>    sorted set: the items that were given back, oldest first
//   w:<queue>    sorted set: the sessions that wait for an item
//   t:<session>  set: the queues in which it has leases or waits
//
// A resource is a letter (l: lock, s: semaphore) and a name. The mode is x (exclusive), s (shared)
// or p (a permit). A session's id begins with c if it ends with its connection: then the channel of
// a living one has a subscriber. It begins with l if it ends with its lease alone.
//
// Tokens are max(last + 1, clock). A count alone would repeat itself after a replica was promoted
// that had not seen the last grants.

const basics = `
local prefix = KEYS[1] .. ':'
local sessions = prefix .. 'sessions'

local function text(number) return string.format('%.0f', number) end

local function parse_row(row)
  local state, mode, number, resource = row:match('^(.)(.) (%d+) (.*)$')
  return state, mode, number, resource
end
`;

/** A release of a lock for which nobody waits ends here. */
const quickEnd = `
if ARGV[1] == 'end' then
  local _, session, request = unpack(ARGV)
  local rows = prefix .. 'r:' .. session
  local row = redis.call('HGET', rows, request)
  if not row then return 0 end
  local state, mode, _, resource = parse_row(row)
  local is_quick = state == 'h' and mode ~= 'p'
      and redis.call('EXISTS', prefix .. 'q:' .. resource) == 0
  if is_quick then
    redis.call('HDEL', rows, request)
    local member = mode .. ':' .. session .. ':' .. request
    redis.call('SREM', prefix .. 'h:' .. resource, member)
    return 1
  end
end
`;

/** The ends of items end here, if none of them is to be given back. */
const quickSettle = `
local done, retry

-- Those of a list that the session has. The list is a text: ids, each with its count of deliveries.
local function find_leases(session, stream, list)
  local ids, deliveries, counts, ours = {}, {}, {}, {}
  for id, count in list:gmatch('(%S+) (%S+)') do
    ids[#ids + 1] = id
    deliveries[#ids] = tonumber(count)
  end
  local function look(first, last, most)
    local found = redis.pcall('XPENDING', stream, 'holdfast', first, last, most, session)
    if found.err then return end
    for _, entry in ipairs(found) do counts[entry[1]] = entry[4] end
  end
  -- They mostly come in the order of the stream: then one look finds all.
  if #ids > 1 then look(ids[1], ids[#ids], 2 * #ids) end
  for i, id in ipairs(ids) do
    if not counts[id] then look(id, id, 1) end
    if counts[id] == deliveries[i] then ours[#ours + 1] = id end
  end
  return ours
end

if ARGV[1] == 'settle' then
  local _, session, queue = unpack(ARGV)
  local stream = prefix .. 'j:' .. queue
  done = find_leases(session, stream, ARGV[4])
  retry = find_leases(session, stream, ARGV[5])
  for i = 1, #done, 1000 do
    local last = math.min(i + 999, #done)
    redis.call('XACK', stream, 'holdfast', unpack(done, i, last))
    redis.call('XDEL', stream, unpack(done, i, last))
  end
  if #retry == 0 then return #done end
end
`;

const clocks = `
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- The first of so many new numbers that follow each other.
local function next_numbers(count)
  local last = tonumber(redis.call('GET', prefix .. 'n') or 0)
  local first = math.max(last + 1, now)
  redis.call('SET', prefix .. 'n', text(first + count - 1))
  return first
end

local function next_number() return text(next_numbers(1)) end

local function is_alive(session)
  local lease_end = redis.call('ZSCORE', sessions, session)
  return lease_end and tonumber(lease_end) > now
end

local function note(session, request, state, mode, number, resource)
  local row = state .. mode .. ' ' .. number .. ' ' .. resource
  redis.call('HSET', prefix .. 'r:' .. session, request, row)
end

local function add_holder(session, request, mode, resource)
  local token = next_number()
  redis.call('SADD', prefix .. 'h:' .. resource, mode .. ':' .. session .. ':' .. request)
  note(session, request, 'h', mode, token, resource)
  return token
end
`;

/** A request of a free lock ends here. No session whose lease is over has a part in it. */
const quickAsk = `
if ARGV[1] == 'ask' then
  local _, session, request, mode, how, resource = unpack(ARGV)
  local is_quick = mode ~= 'p' and is_alive(session)
      and redis.call('EXISTS', prefix .. 'h:' .. resource, prefix .. 'q:' .. resource) == 0
      and redis.call('HEXISTS', prefix .. 'abandoned', resource) == 0
  if is_quick then return { 'granted', add_holder(session, request, mode, resource), 0 } end
end
`;

const news = `
local function channel(session) return prefix .. 'c:' .. session end

-- False if nobody can have heard it, and the session lives by its connection.
local function tell(session, message)
  local heard = redis.call('PUBLISH', channel(session), message)
  return heard > 0 or session:sub(1, 1) == 'l'
end

-- Tells the session that waits longest, and can hear it, to look into the queue.
local function wake(queue)
  while true do
    local first = redis.call('ZPOPMIN', prefix .. 'w:' .. queue)
    if not first[1] then return false end
    if is_alive(first[1]) and tell(first[1], 'j ' .. queue) then return true end
  end
end
`;

/** A put ends here. */
const quickPut = `
if ARGV[1] == 'put' then
  local queue = ARGV[2]
  local stream = prefix .. 'j:' .. queue
  for i = 3, #ARGV do redis.call('XADD', stream, '*', 'v', ARGV[i]) end
  for _ = 3, #ARGV do
    if not wake(queue) then break end
  end
  return
end
`;

/** A take ends here, while no lease is over. */
const quickTake = `
-- The items of the queue for the session, first those that were given back. Returns how many, and a
-- list with room for one thing before them: of each its id with how often it was handed out, and
-- what was put.
local function take_items(session, queue, most)
  local stream = prefix .. 'j:' .. queue
  local taken, count = { '0' }, 0
  local function add(id, deliveries, item)
    count = count + 1
    taken[2 * count], taken[2 * count + 1] = id .. ' ' .. deliveries, item
  end
  while count < most do
    local id = redis.call('ZPOPMIN', prefix .. 'y:' .. queue)[1]
    if not id then break end
    local entry = redis.call('XCLAIM', stream, 'holdfast', session, 0, id)[1]
    if entry then
      local state = redis.call('XPENDING', stream, 'holdfast', id, id, 1)[1]
      add(id, state[4], entry[2][2])
    end
  end
  if count == most then return count, taken end
  local read = { 'XREADGROUP', 'GROUP', 'holdfast', session, 'COUNT', most - count }
  for _, word in ipairs({ 'STREAMS', stream, '>' }) do read[#read + 1] = word end
  local found = redis.pcall(unpack(read))
  if found and found.err then
    redis.call('XGROUP', 'CREATE', stream, 'holdfast', 0, 'MKSTREAM')
    found = redis.call(unpack(read))
  end
  if found and found[1] then
    for _, entry in ipairs(found[1][2]) do add(entry[1], '1', entry[2][2]) end
  end
  return count, taken
end

-- Leases items to the session. Returns the token of the first, and what take_items() has of each.
-- If there is none the session waits.
local function take(session, queue, most)
  local count, taken = take_items(session, queue, most)
  redis.call('SADD', prefix .. 't:' .. session, queue)
  if count == most then
    wake(queue)
  elseif count == 0 then
    redis.call('ZADD', prefix .. 'w:' .. queue, 'NX', next_number(), session)
    return taken
  end
  taken[1] = text(next_numbers(count))
  return taken
end

if ARGV[1] == 'take' then
  local _, session, queue, most = unpack(ARGV)
  local first = redis.call('ZRANGE', sessions, 0, 0, 'WITHSCORES')[2]
  if first and tonumber(first) > now and is_alive(session) then
    return take(session, queue, tonumber(most))
  end
end
`;

const requests = `
local dirty = {}
local end_session

local function fits(resource, mode)
  local holders = prefix .. 'h:' .. resource
  local count = redis.call('SCARD', holders)
  if count == 0 then return true end
  if mode == 'x' then return false end
  if mode == 's' then return redis.call('SRANDMEMBER', holders):sub(1, 1) == 's' end
  return count < tonumber(redis.call('HGET', prefix .. 'permits', resource))
end

-- Returns the token and, as 1 or 0, whether the lock was abandoned.
local function grant(session, request, mode, resource)
  local token = add_holder(session, request, mode, resource)
  local was_abandoned = redis.call('HEXISTS', prefix .. 'abandoned', resource)
  if was_abandoned == 1 and mode == 'x' then
    redis.call('HDEL', prefix .. 'abandoned', resource)
  end
  return token, was_abandoned
end

-- Grants to those at the head of the line, as long as they can have it.
local function serve(resource)
  local line = prefix .. 'q:' .. resource
  while true do
    local head = redis.call('ZRANGE', line, 0, 0)[1]
    if not head then break end
    local mode, session, request = head:match('^(.):(.-):(.*)$')
    if not is_alive(session) then
      end_session(session)
    elseif not fits(resource, mode) then
      return
    else
      redis.call('ZREM', line, head)
      local token, was_abandoned = grant(session, request, mode, resource)
      local message = 'g ' .. request .. ' ' .. token .. ' ' .. was_abandoned
      if not tell(session, message) then end_session(session) end
    end
  end
  if redis.call('EXISTS', prefix .. 'h:' .. resource) == 0 then
    redis.call('HDEL', prefix .. 'permits', resource)
  end
end

-- Serves every resource that something was taken away from.
local function serve_dirty()
  while next(dirty) do
    local resource = next(dirty)
    dirty[resource] = nil
    serve(resource)
  end
end

-- Returns whether it held, and in which mode what.
local function forget(session, request, row)
  local state, mode, number, resource = parse_row(row)
  local member = mode .. ':' .. session .. ':' .. request
  if state == 'h' then
    redis.call('SREM', prefix .. 'h:' .. resource, member)
  else
    redis.call('ZREM', prefix .. 'q:' .. resource, member)
  end
  dirty[resource] = true
  return state == 'h', mode, resource
end
`;

const items = `
local function give_back(queue, ids)
  local stream = prefix .. 'j:' .. queue
  for _, id in ipairs(ids) do
    redis.call('XCLAIM', stream, 'holdfast', 'nobody', 0, id, 'JUSTID')
    redis.call('ZADD', prefix .. 'y:' .. queue, id:match('^%d+'), id)
  end
  for _ = 1, #ids do
    if not wake(queue) then break end
  end
end

local function leave_queue(session, queue)
  local stream = prefix .. 'j:' .. queue
  redis.call('ZREM', prefix .. 'w:' .. queue, session)
  if redis.call('EXISTS', stream) == 0 then return end
  while true do
    local leased = redis.call('XPENDING', stream, 'holdfast', '-', '+', 100, session)
    if #leased == 0 then break end
    local ids = {}
    for i, entry in ipairs(leased) do ids[i] = entry[1] end
    give_back(queue, ids)
  end
  redis.call('XGROUP', 'DELCONSUMER', stream, 'holdfast', session)
end

-- is_orderly: by close(), so that nothing counts as abandoned.
function end_session(session, is_orderly)
  redis.call('ZREM', sessions, session)
  local rows = redis.call('HGETALL', prefix .. 'r:' .. session)
  redis.call('DEL', prefix .. 'r:' .. session)
  for i = 1, #rows, 2 do
    local held, mode, resource = forget(session, rows[i], rows[i + 1])
    if held and mode == 'x' and not is_orderly then
      redis.call('HSET', prefix .. 'abandoned', resource, 1)
    end
  end
  local queues = redis.call('SMEMBERS', prefix .. 't:' .. session)
  redis.call('DEL', prefix .. 't:' .. session)
  for _, queue in ipairs(queues) do leave_queue(session, queue) end
end

-- Ends the sessions whose lease is over.
local function sweep()
  for _, session in ipairs(redis.call('ZRANGEBYSCORE', sessions, '-inf', text(now))) do
    end_session(session)
  end
  serve_dirty()
end
`;

/**
 * What the operations are made of. Lua makes each function anew in each call, when it comes to it.
 * So the steps that end in most calls stand before the functions that they do not need.
 */
export const parts = [
  basics,
  quickEnd,
  quickSettle,
  clocks,
  quickAsk,
  news,
  quickPut,
  quickTake,
  requests,
  items,
].join('');
