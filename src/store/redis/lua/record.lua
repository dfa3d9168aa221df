#!lua flags=allow-oom
-- Notes what became of a send.
-- Invariant: a receipt is never taken back, and a reservation only by whoever made it: somebody else may have said the
-- part since. Not fenced: the truth about a send is worth keeping, whoever holds the event.
-- ARGV[2] seq  [3] part id  [4] receipt as JSON, or '' for one that was certainly not sent  [5] op of its reservation

local outbox = base .. 'o:' .. ARGV[2]
local found = call('HGET', outbox, ARGV[3])
if not found then return 0 end
local state, op, answer, before = string.match(found, '^(%S+) (%S+) (%S+) (%d+) ')
if ARGV[4] == '' and (state == 'sent' or op ~= ARGV[5]) then return 0 end
local fate = ARGV[4] == '' and 'not-sent' or 'sent'
call('HSET', outbox, ARGV[3], fate .. ' ' .. op .. ' ' .. answer .. ' ' .. before .. ' ' .. ARGV[4])
return 1
