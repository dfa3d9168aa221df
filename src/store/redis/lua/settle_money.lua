#!lua flags=allow-oom
-- Puts what a model call cost in place of what was held for it.
-- Invariant: a hold is settled once; what comes again, or was never held, changes nothing.
-- ARGV[2] day  [3] id  [4] amount  then tokens: read, written, read from and written to cache
-- Gives: 1 settled, 0 not

local SETTLED = '-'
local day, id = ARGV[2], ARGV[3]
local holds, money = base .. 'money-held:' .. day, base .. 'money:' .. day
local found = call('HGET', holds, id)
if not found or found == SETTLED then return 0 end

local hold = cjson.decode(found)
local changes = { spent = ARGV[4], input = ARGV[5], output = ARGV[6], read = ARGV[7], write = ARGV[8], calls = '0' }
-- One that was refused, or was never made, is none.
for i = 4, 8 do
  if ARGV[i] ~= '0' then changes.calls = '1' end
end
for _, scope in ipairs(hold[2]) do
  for field, by in pairs(changes) do
    if by ~= '0' then call('HINCRBY', money, field .. ' ' .. scope, by) end
  end
  if hold[1] ~= '0' then call('HINCRBY', money, 'held ' .. scope, '-' .. hold[1]) end
end
call('HSET', holds, id, SETTLED)
return 1
