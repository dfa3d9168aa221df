#!lua flags=no-writes
-- Tells what the first event of a lane is doing.
-- ARGV[2] lane
-- Gives: idle | waiting | running

local seq = call('LINDEX', lane_key(ARGV[2]), 0)
if not seq then return 'idle' end
return call('HEXISTS', event_key(seq), 'token') == 1 and 'running' or 'waiting'
