#!lua flags=no-writes
-- What was spent and is held on a day.
-- ARGV[2] day  then scopes
-- Gives: for each scope, spent, held, calls, and tokens: read, written, read from and written to cache

local fields = { 'spent ', 'held ', 'calls ', 'input ', 'output ', 'read ', 'write ' }
local answer = {}
for i = 3, #ARGV do
  local row = {}
  for n, field in ipairs(fields) do
    row[n] = call('HGET', base .. 'money:' .. ARGV[2], field .. ARGV[i]) or '0'
  end
  answer[#answer + 1] = row
end
return answer
