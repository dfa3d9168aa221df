#!lua flags=no-writes
-- What was done to the gateway, newest first.
-- ARGV[2] at most  [3] only those before this seq, or ''
-- Gives: first and last place, '' for none; seq of the newest, and its row; then seq and row of each

local ends = call('HMGET', base .. 'audit-ends', 'first', 'last')
local newest = call('ZRANGE', base .. 'audit', '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
local answer = { ends[1] or '', ends[2] or '', newest[2] or '0', newest[1] or '' }
local from = ARGV[3] == '' and '+inf' or '(' .. ARGV[3]
local rows = call('ZRANGE', base .. 'audit', from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
for i = 1, #rows, 2 do
  answer[#answer + 1] = rows[i + 1]
  answer[#answer + 1] = rows[i]
end
return answer
