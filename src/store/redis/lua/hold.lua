#!lua flags=allow-oom
-- Elects one process for what only one may do, keeps it elected, or lets others have it.
-- Invariant: one token of a name is live at a time, by steady time, and each election has a greater one than all before.
-- ARGV[2] take | renew | release  [3] name
--   take: [4] who  [5] ms            Gives: the token, or '' when another process holds it
--   renew: [4] token  [5] ms         Gives: 1, or 0 when it has ended
--   release: [4] token  [5] topic    Gives: 1, or 0 when it has ended

local _, steady = keep_clock()
local act, name = ARGV[2], ARGV[3]
local token, owner = holder_of(name, steady)

local function keep(by, whom)
  call('HSET', base .. 'holds', name, by .. ' ' .. whole(steady + tonumber(ARGV[5])) .. ' ' .. whom)
end

if act == 'take' then
  -- Whoever asks again has not heard, or is the next process of that name.
  if token and owner ~= ARGV[4] then return '' end
  local elected = whole(call('HINCRBY', meta, 'fence', 1))
  keep(elected, ARGV[4])
  return elected
end

if token ~= ARGV[4] then return 0 end
if act == 'renew' then
  keep(token, owner)
else
  call('HDEL', base .. 'holds', name)
  call('PUBLISH', base .. 'bus', ARGV[5] .. '\n' .. name)
end
return 1
