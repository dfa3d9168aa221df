#!lua flags=no-writes
-- The newest turns of a conversation, oldest first.
-- Invariant: at most as many as asked for, none from before the time given.
-- ARGV[2] conversation  [3] most turns  [4] since, in ms
-- Gives: the turns, as JSON

local key = base .. 't:' .. ARGV[2]
local turns_max, since = tonumber(ARGV[3]), tonumber(ARGV[4])
local newest = {}
local last = -1
while #newest < turns_max do
  local chunk = call('LRANGE', key, last - 99, last)
  for i = #chunk, 1, -1 do
    local at, turn = string.match(chunk[i], '^%S+ (%-?%d+) (.*)$')
    if tonumber(at) >= since and #newest < turns_max then newest[#newest + 1] = turn end
  end
  if #chunk < 100 then break end
  last = last - 100
end
local oldest_first = {}
for i = #newest, 1, -1 do oldest_first[#oldest_first + 1] = newest[i] end
return oldest_first
