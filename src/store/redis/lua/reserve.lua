#!lua flags=allow-oom
-- Asks whether a part of a reply may be said, and notes that it is about to be.
--
-- Invariant: only the holder of the lease gets a part to say; a part noted as sent is never given out again, one of which
-- a preview is out is given out with that, and one whose fate nobody recorded as in doubt. The same call (op) made twice
-- is one.
--
-- ARGV[2] seq  [3] token  [4] op  [5] part id  [6] who asks
-- ARGV[7] progress as JSON, to be stored with it, or ''  [8] its number and [9] whether it is the first answer, as for a checkpoint
-- Gives: { lost } | { sent or shown, receipt } | { fresh or in-doubt, sends before, 1 when no other process may be on its
-- way to say it }

local seq, op, part = ARGV[2], ARGV[4], ARGV[5]
if not holds(seq, ARGV[3]) then return { 'lost' } end
if ARGV[7] ~= '' then keep_progress(seq, ARGV[7], ARGV[8], ARGV[9], (keep_clock())) end
local adrift = call('HGET', event_key(seq), 'adrift')
local is_gone = (not adrift or adrift == ARGV[6]) and 1 or 0
local outbox = base .. 'o:' .. seq
local state, last_op, answer, before, receipt =
  string.match(call('HGET', outbox, part) or '', '^(%S+) (%S+) (%S+) (%d+) (.*)$')
if state == 'sent' then return { 'sent', receipt } end
if state == 'reserved' and receipt ~= '' then
  call('HSET', outbox, part, 'reserved ' .. op .. ' ' .. answer .. ' ' .. before .. ' ' .. receipt)
  return { 'shown', receipt }
end
if last_op == op then return { answer, tonumber(before), is_gone } end
answer = state == 'reserved' and 'in-doubt' or 'fresh'
before = call('HINCRBY', event_key(seq), 'sends', 1) - 1
call('HSET', outbox, part, 'reserved ' .. op .. ' ' .. answer .. ' ' .. before .. ' ')
return { answer, before, is_gone }
