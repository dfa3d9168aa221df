#!lua flags=allow-oom
-- Records what a run has achieved.
--
-- Invariant: only the holder of the lease changes the progress of an event, and never back: what a lost connection
-- brings after the next one has recorded more is old.
--
-- ARGV[2] seq  [3] token  [4] progress as JSON  [5] a number that grows with each call of the holder
-- Gives: 1, or 0 when the lease is lost

local wall = keep_clock()
local key = event_key(ARGV[2])
local found = call('HMGET', key, 'token', 'step')
if found[1] ~= ARGV[3] then return 0 end
if tonumber(found[2] or 0) >= tonumber(ARGV[5]) then return 1 end
call('HSET', key, 'progress', ARGV[4], 'step', ARGV[5], 'up', wall)
return 1
