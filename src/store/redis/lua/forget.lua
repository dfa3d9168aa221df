#!lua flags=allow-oom
-- Forgets a conversation.
-- Invariant: nothing of what came up to that event, or up to now, is remembered, also if it ends later.
-- ARGV[2] conversation  [3] id of an event, or ''

local wall = keep_clock()
local seq
if ARGV[3] ~= '' then seq = read_key(call('GET', base .. 'k:' .. ARGV[3]), wall) end
local until_place = seq and place_of(seq) or tonumber(call('HGET', meta, 'seq') or 0)

drop_summaries(ARGV[2], function(covers) return covers.from <= until_place end)
local turns = base .. 't:' .. ARGV[2]
local all = call('LRANGE', turns, 0, -1)
call('DEL', turns)
for _, turn in ipairs(all) do
  if tonumber(string.match(turn, '^%S+')) > until_place then call('RPUSH', turns, turn) end
end

local key = conversation_key(ARGV[2])
local forgotten = tonumber(call('HGET', key, 'forgotten') or 0)
call('HSET', key, 'forgotten', exact(math.max(forgotten, until_place)))
call('HSET', key, 'seen', wall)
call('ZADD', base .. 'idle', 'NX', wall, ARGV[2])
return 1
