#!lua flags=allow-oom
-- Adds a row to the audit, behind the last one.
-- Invariant: of two that are added behind the same, one is; `audit-ends` says which row is the last.
-- ARGV[2] seq  [3] row  [4] the place behind which it is to be  [5] that before the first
-- Gives: 1, or 0 when another is the last

local key, ends = base .. 'audit', base .. 'audit-ends'
local seq, row = ARGV[2], ARGV[3]
local newest = call('ZRANGE', key, '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
local newest_seq = tonumber(newest[2] or '0')
local last = call('HGET', ends, 'last')
-- Where somebody has taken it away, the newest row is the last.
if not last or not string.match(last, '^%d+ %S+$') then
  last = newest[1] and whole(newest_seq) .. ' ' .. string.sub(newest[1], 1, 64) or ARGV[5]
end
if last ~= ARGV[4] or tonumber(seq) <= newest_seq then
  -- The same again: the answer to the first was lost.
  return call('ZSCORE', key, row) == seq and 1 or 0
end
call('ZADD', key, seq, row)
call('HSET', ends, 'last', seq .. ' ' .. string.sub(row, 1, 64))
return 1
