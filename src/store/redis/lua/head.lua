#!lua flags=no-writes
-- The first event of a lane.
-- ARGV[2] lane
-- Gives: {} or { body, progress or '', signals or '' }

local seq = call('LINDEX', lane_key(ARGV[2]), 0)
if not seq then return {} end
local found = call('HMGET', event_key(seq), 'body', 'progress', 'signals')
return { found[1], found[2] or '', found[3] or '' }
