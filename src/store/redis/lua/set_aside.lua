#!lua flags=allow-oom
-- Makes dead letters of all that waits or runs: of a snapshot that was put back, see src/store/redis/set-aside.ts.
-- Invariant: nothing is left to claim, and nothing of a place that a socket had heard up to.
-- ARGV[2] the cause
-- Gives: how many became dead letters

local wall = whole((read_clock()))
local count = 0

local function clear(pattern)
  local cursor = '0'
  repeat
    local found = call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000)
    cursor = found[1]
    for _, key in ipairs(found[2]) do call('DEL', key) end
  until cursor == '0'
end

for _, seq in ipairs(call('ZRANGE', base .. 'live', 0, -1)) do
  local key = event_key(seq)
  local into, refusal, lane, conversation = unpack(call('HMGET', key, 'into', 'refusal', 'lane', 'conversation'))
  if lane then
    -- What is joined to another goes with it; a refusal that nobody has heard of is none to hear of now.
    local state = into and 'merged' or refusal and 'dropped' or 'dead'
    call('HSET', key, 'state', state, 'up', wall)
    if state == 'dead' then
      call('HSET', key, 'cause', ARGV[2])
      count = count + 1
    end
    call('HDEL', key, 'token', 'owner', 'signals', 'given')
    call('ZADD', base .. state, seq, seq)
    call('DEL', lane_key(lane))
    local place = conversation_key(conversation or lane)
    if call('HEXISTS', place, 'n') == 1 then call('HSET', place, 'n', 0) end
  end
end
for _, list in ipairs({ 'live', 'retrying', 'parked', 'held', 'leases', 'owners', 'urgent', 'q', 'holds', 'spools' }) do
  call('DEL', base .. list)
end
clear(base .. 'q:*')
clear(base .. 'death:*')
for _, name in ipairs(call('HKEYS', base .. 'notes')) do
  if string.find(name, '%..*:.*/') then call('HDEL', base .. 'notes', name) end
end
return count
