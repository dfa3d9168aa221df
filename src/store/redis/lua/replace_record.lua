#!lua flags=allow-oom
-- Replaces or removes what a search has found: see Records in src/ports/records.ts.
-- Invariant: nothing changes unless it is as it was found; an event goes whole or not at all, and only when it is over.
-- ARGV[2] shelf  [3] key  [4] conversation of a turn, or ''  [5] text as found  [6] second text, or ''
--   [7] replace | remove  [8] new text  [9] new second text, or ''
-- Gives: 1, or 0 when it is another by now

local shelf, name, was, act, text = ARGV[2], ARGV[3], ARGV[5], ARGV[7], ARGV[8]

local function event()
  local key = event_key(name)
  local body, progress, state, id = unpack(call('HMGET', key, 'body', 'progress', 'state', 'id'))
  if body ~= was or (progress or '') ~= ARGV[6] then return 0 end
  if act == 'remove' then
    if not state then return 0 end
    delete_one(name, id, state, (read_clock()))
    return 1
  end
  call('HSET', key, 'body', text)
  if progress then call('HSET', key, 'progress', ARGV[9]) end
  return 1
end

local function turn()
  local key = base .. 't:' .. ARGV[4]
  if act == 'remove' then return call('LREM', key, 1, name .. ' ' .. was) end
  local at = call('LPOS', key, name .. ' ' .. was)
  if not at then return 0 end
  call('LSET', key, at, name .. ' ' .. text)
  return 1
end

local function of_hash(key)
  if call('HGET', key, name) ~= was then return 0 end
  if act == 'replace' then call('HSET', key, name, text) else call('HDEL', key, name) end
  return 1
end

if shelf == 'events' then return event() end
if shelf == 'turns' then return turn() end
if shelf == 'notes' then return of_hash(base .. 'notes') end
if shelf == 'vault' then
  local done = of_hash(base .. 'vault')
  if done == 1 and act == 'remove' then call('ZREM', base .. 'vault-names', name) end
  return done
end
if shelf == 'held' then
  local key, id = string.match(name, '^(%S+) (.*)$')
  name = id
  return of_hash(base .. key)
end
if act == 'replace' then return 0 end
if shelf == 'requests' then
  local outcome, id = string.match(name, '^(%S+) (.*)$')
  return call('ZREM', base .. 'r:' .. outcome, id .. '\n' .. was)
end
if shelf == 'spending' then
  local key, field = string.match(name, '^(%S+) (.*)$')
  return call('HDEL', base .. key, field)
end
if shelf == 'limits' then return call('HDEL', base .. 'limits', name) end
if shelf == 'conversations' then
  call('ZREM', base .. 'idle', name)
  call('DEL', base .. 't:' .. name)
  return call('DEL', conversation_key(name))
end
return call('DEL', base .. name)
