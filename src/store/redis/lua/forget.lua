#!lua flags=allow-oom
-- Forgets a conversation.
-- Invariant: nothing of what was accepted up to that event, or up to now, is remembered, also if it ends later.
-- ARGV[2] conversation  [3] id of an event, or ''

local wall = keep_clock()
local until_seq
if ARGV[3] ~= '' then until_seq = read_key(call('GET', base .. 'k:' .. ARGV[3]), wall) end
until_seq = tonumber(until_seq or call('HGET', meta, 'seq') or 0)

local turns = base .. 't:' .. ARGV[2]
local all = call('LRANGE', turns, 0, -1)
call('DEL', turns)
for _, turn in ipairs(all) do
  if tonumber(string.match(turn, '^%d+')) > until_seq then call('RPUSH', turns, turn) end
end

local key = conversation_key(ARGV[2])
local forgotten = tonumber(call('HGET', key, 'forgotten') or 0)
call('HSET', key, 'forgotten', whole(math.max(forgotten, until_seq)))
call('HSETNX', key, 'seen', wall)
call('ZADD', base .. 'idle', 'NX', wall, ARGV[2])
return 1
