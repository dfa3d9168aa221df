-- Sets money aside for a model call, in all scopes or in none.
--
-- Invariant: in no scope do what was spent on a day and what is held pass its limit together. The same id holds once,
-- also after it was settled. Amounts are whole millionths of a cent, exact up to 2^53.
--
-- ARGV[2] day  [3] id  [4] amount  [5] ms to remember the call  [6] ms to remember the day
--     then for each scope: its name, limit or '', where to warn or ''
-- Gives: { 'held', scopes to be warned of … } or { 'over', scope }

local day, id, amount = ARGV[2], ARGV[3], tonumber(ARGV[4])
local holds, money = base .. 'money-held:' .. day, base .. 'money:' .. day
if call('HEXISTS', holds, id) == 1 then return { 'held' } end

local scopes, answer, warned = {}, { 'held' }, {}
for i = 7, #ARGV, 3 do
  local scope, limit, warn_at = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local found = call('HMGET', money, 'spent ' .. scope, 'held ' .. scope, 'warned ' .. scope)
  local total = tonumber(found[1] or 0) + tonumber(found[2] or 0) + amount
  if limit and total > limit then return { 'over', scope } end
  scopes[#scopes + 1] = scope
  if warn_at and total >= warn_at and not found[3] then
    answer[#answer + 1] = scope
    warned[#warned + 1] = scope
  end
end

for _, scope in ipairs(scopes) do call('HINCRBY', money, 'held ' .. scope, whole(amount)) end
for _, scope in ipairs(warned) do call('HSET', money, 'warned ' .. scope, 1) end
call('HSET', holds, id, cjson.encode({ whole(amount), scopes }))
call('PEXPIRE', holds, ARGV[5])
call('PEXPIRE', money, ARGV[6])
return answer
