#!lua flags=allow-oom
-- Puts a dead letter away. It stays on record as dropped.
-- Invariant: nothing but a dead letter is dropped, and it once.
-- ARGV[2] id  [3] the new cause
-- Gives: 1, or 0 when it is no dead letter

local wall = keep_clock()
local seq = string.match(call('GET', base .. 'k:' .. ARGV[2]) or '', '^%d+')
if not seq then return 0 end
local found = call('HMGET', event_key(seq), 'id', 'state')
if found[1] ~= ARGV[2] or found[2] ~= 'dead' then return 0 end
call('HSET', event_key(seq), 'state', 'dropped', 'cause', ARGV[3], 'up', wall)
call('ZREM', base .. 'dead', seq)
call('ZADD', base .. 'dropped', seq, seq)
return 1
