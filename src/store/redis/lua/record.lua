#!lua flags=allow-oom
-- Notes what became of a send.
-- Invariant: a receipt is never taken back; that a preview is out, or that nothing is, counts for the last reservation
-- alone: somebody else may have said the part since. Not fenced: the truth about a send is worth keeping, whoever holds
-- the event.
-- A preview is a reservation with a receipt: a version that knows of none takes it for a send that is in doubt, and marks
-- its own.
-- ARGV[2] seq  [3] part id  [4] sent | shown | not-sent  [5] receipt as JSON, or ''  [6] op of its reservation

local outbox = base .. 'o:' .. ARGV[2]
local found = call('HGET', outbox, ARGV[3])
if not found then return 0 end
local state, op, answer, before = string.match(found, '^(%S+) (%S+) (%S+) (%d+) ')
if ARGV[4] ~= 'sent' and (state ~= 'reserved' or op ~= ARGV[6]) then return 0 end
local fate = ARGV[4] == 'shown' and 'reserved' or ARGV[4]
call('HSET', outbox, ARGV[3], fate .. ' ' .. op .. ' ' .. answer .. ' ' .. before .. ' ' .. ARGV[5])
return 1
