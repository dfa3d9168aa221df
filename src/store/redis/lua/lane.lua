#!lua flags=no-writes
-- Tells what the first event of a lane is doing.
-- ARGV[2] lane
-- Gives: idle | waiting | parked | running

local seq = call('LINDEX', lane_key(ARGV[2]), 0)
if not seq then return 'idle' end
if call('HEXISTS', event_key(seq), 'token') == 1 then return 'running' end
return call('ZSCORE', base .. 'parked', seq) and 'parked' or 'waiting'
