#!lua flags=allow-oom
-- Keeps a lease alive.
-- Invariant: only the claim with the event's present token has a lease to extend.
-- ARGV[2] seq  [3] token  [4] lease in ms
-- Gives: 0 lost, 1 held, or { signals or '', 1: it is to stop } of one that is held and was told something

local _, steady = keep_clock()
if not holds(ARGV[2], ARGV[3]) then return 0 end
call('ZADD', base .. 'leases', steady + tonumber(ARGV[4]), ARGV[2])
local told = call('HMGET', event_key(ARGV[2]), 'signals', 'stop')
if not told[1] and not told[2] then return 1 end
return { told[1] or '', told[2] and 1 or 0 }
