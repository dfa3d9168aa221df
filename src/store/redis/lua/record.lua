#!lua flags=allow-oom
-- Notes what became of a send.
-- Invariant: a receipt is never taken back. Not fenced: the truth about a send is worth keeping, whoever holds the event.
-- ARGV[2] seq  [3] part id  [4] receipt as JSON, or '' for one that was certainly not sent

keep_clock()
local outbox = base .. 'o:' .. ARGV[2]
local found = call('HGET', outbox, ARGV[3])
if not found then return 0 end
local state, op, answer, before = string.match(found, '^(%S+) (%S+) (%S+) (%d+) ')
if state == 'sent' and ARGV[4] == '' then return 0 end
local fate = ARGV[4] == '' and 'not-sent' or 'sent'
call('HSET', outbox, ARGV[3], fate .. ' ' .. op .. ' ' .. answer .. ' ' .. before .. ' ' .. ARGV[4])
return 1
