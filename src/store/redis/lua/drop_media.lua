#!lua flags=allow-oom
-- Deletes files of messages, one bite.
-- ARGV[2] of: those of a conversation  [3] which, or  [4] that one of it
--         old: those that were kept for longer  [3] than so many ms
-- Gives: { how many went, 1 when there may be more }

local BITE = 128
local wall = keep_clock()

local function drop(member)
  local conversation, file = string.match(member, '^(%S+) (%S+)$')
  local size = tonumber(call('HGET', base .. 'media-sizes', member) or 0)
  call('HDEL', base .. 'm:' .. conversation, file)
  call('HDEL', base .. 'media-sizes', member)
  call('ZREM', base .. 'media', member)
  if call('DECRBY', base .. 'media-bytes', size) <= 0 then call('DEL', base .. 'media-bytes') end
end

local members = {}
if ARGV[4] then
  if call('HEXISTS', base .. 'm:' .. ARGV[3], ARGV[4]) == 1 then members = { ARGV[3] .. ' ' .. ARGV[4] } end
elseif ARGV[2] == 'of' then
  for _, file in ipairs(call('HRANDFIELD', base .. 'm:' .. ARGV[3], BITE)) do members[#members + 1] = ARGV[3] .. ' ' .. file end
else
  members = call('ZRANGE', base .. 'media', '-inf', '(' .. whole(wall - tonumber(ARGV[3])), 'BYSCORE', 'LIMIT', 0, BITE)
end
for _, member in ipairs(members) do drop(member) end
return { #members, #members > 0 and 1 or 0 }
