#!lua flags=no-writes
-- Conversations, those first of which something will be too old last.
-- ARGV[2] how many  [3] how many come before them
-- Gives: { name, seen, turns, … }

local answer = {}
local first = tonumber(ARGV[3])
for _, name in ipairs(call('ZRANGE', base .. 'idle', first, first + tonumber(ARGV[2]) - 1, 'REV')) do
  answer[#answer + 1] = name
  answer[#answer + 1] = call('HGET', conversation_key(name), 'seen') or '0'
  answer[#answer + 1] = call('LLEN', base .. 't:' .. name)
end
return answer
