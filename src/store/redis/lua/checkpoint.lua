#!lua flags=allow-oom
-- Records what a run has achieved.
-- Invariant: only the holder of the lease changes the progress of an event.
-- ARGV[2] seq  [3] token  [4] progress as JSON
-- Gives: 1, or 0 when the lease is lost

local wall = keep_clock()
if not holds(ARGV[2], ARGV[3]) then return 0 end
call('HSET', event_key(ARGV[2]), 'progress', ARGV[4], 'up', wall)
return 1
