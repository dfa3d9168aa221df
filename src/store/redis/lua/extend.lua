#!lua flags=allow-oom
-- Keeps a lease alive.
-- Invariant: only the claim with the event's present token has a lease to extend.
-- ARGV[2] seq  [3] token  [4] lease in ms
-- Gives: 0 lost, 1 held, 2 held and somebody asked for an end of it

local _, steady = keep_clock()
if not holds(ARGV[2], ARGV[3]) then return 0 end
call('ZADD', base .. 'leases', steady + tonumber(ARGV[4]), ARGV[2])
return call('HEXISTS', event_key(ARGV[2]), 'stop') == 1 and 2 or 1
