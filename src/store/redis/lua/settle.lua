#!lua flags=allow-oom
-- Ends a claim: the event is finished, or goes back to the front of its lane.
--
-- Invariant: only the holder of the lease settles; what waits to be tried again stays the first of its lane, so order
-- is kept; turns are remembered in the same step. The same call (op) made twice, because its answer was lost, is one.
--
-- ARGV[2] seq  [3] token  [4] op  [5] done | dropped | dead | retry | defer  [6] cause, or ''  [7] delay in ms
-- ARGV[8] most turns kept of a conversation; then two for each turn: its time, its JSON
-- Gives: { 1, status }, or { 0 } when the lease is lost

local wall, steady = keep_clock()
local seq, kind = ARGV[2], ARGV[5]
local key = event_key(seq)
if not holds(seq, ARGV[3]) then
  if call('HGET', key, 'op') ~= ARGV[4] then return { 0 } end
  return { 1, status(steady) }
end

local found = call('HMGET', key, 'owner', 'lane', 'conversation', 'refusal')
local lane, conversation = found[2], found[3]
end_lease(seq, found[1])
call('HSET', key, 'up', wall, 'op', ARGV[4])
if ARGV[6] == '' then call('HDEL', key, 'cause') else call('HSET', key, 'cause', ARGV[6]) end

local function put_back()
  if kind == 'defer' then
    call('HINCRBY', key, 'attempt', -1)
  else
    call('HINCRBY', key, 'failures', 1)
    call('ZADD', base .. 'retrying', seq, seq)
  end
  local delay_ms = tonumber(ARGV[7])
  if delay_ms > 0 then call('ZADD', base .. 'held', steady + delay_ms, lane) else make_ready(lane, seq) end
end

-- What was accepted before the person said "forget" is forgotten too, even if it ends only now.
local function remember()
  if #ARGV < 9 then return end
  local forgotten = tonumber(call('HGET', conversation_key(conversation), 'forgotten') or 0)
  if tonumber(seq) <= forgotten then return end
  local turns = base .. 't:' .. conversation
  for i = 9, #ARGV, 2 do
    call('RPUSH', turns, seq .. ' ' .. ARGV[i] .. ' ' .. ARGV[i + 1])
    call('ZADD', base .. 'idle', 'LT', ARGV[i], conversation)
  end
  call('LTRIM', turns, -tonumber(ARGV[8]), -1)
end

local function finish()
  if kind == 'done' then remember() end
  call('HSET', key, 'state', kind)
  call('LPOP', lane_key(lane))
  call('ZREM', base .. 'live', seq)
  call('ZADD', base .. kind, seq, seq)
  if not found[4] then call('HINCRBY', conversation_key(conversation), 'n', -1) end
  local next_seq = call('LINDEX', lane_key(lane), 0)
  if next_seq then make_ready(lane, next_seq) end
end

if kind == 'retry' or kind == 'defer' then put_back() else finish() end
return { 1, status(steady) }
