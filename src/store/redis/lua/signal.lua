#!lua flags=allow-oom
-- Says something to the first event of a lane.
--
-- Invariant: of signals with the same key the first stays with its event until that is settled for good; there is always
-- room for a stop. The same call made twice, because its answer was lost, is one.
--
-- ARGV[2] lane  [3] key of the signal  [4] the signal as JSON  [5] most signals beside a stop
-- ARGV[6] name of the topic  [7] the message for it
-- Gives: { idle | waiting | parked | running, 1: the event has it, as it was said }

local seq = call('LINDEX', lane_key(ARGV[2]), 0)
if not seq then return { 'idle', 0 } end
local key = event_key(seq)
local found = call('HMGET', key, 'token', 'signals')
local kept = found[2] and cjson.decode(found[2]) or {}
local is_stop = ARGV[3] == 'stop'
local known
for i = 1, #kept, 2 do
  if kept[i] == ARGV[3] then known = kept[i + 1] end
end
if not known and (is_stop or #kept < 2 * tonumber(ARGV[5])) then
  known = ARGV[4]
  kept[#kept + 1] = ARGV[3]
  kept[#kept + 1] = ARGV[4]
  call('HSET', key, 'signals', cjson.encode(kept))
  if is_stop then call('HSET', key, 'stop', 1) end
end
if found[1] then
  call('PUBLISH', base .. 'bus', ARGV[6] .. '\n' .. ARGV[7])
end
local is_parked = not found[1] and call('ZREM', base .. 'parked', seq) == 1
if not found[1] and (is_parked or is_stop) and call('ZREM', base .. 'held', ARGV[2]) == 1 then
  make_ready(ARGV[2], seq)
end
return { found[1] and 'running' or is_parked and 'parked' or 'waiting', known == ARGV[4] and 1 or 0 }
