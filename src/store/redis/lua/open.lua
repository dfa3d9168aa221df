#!lua flags=allow-oom
-- Tells the format of what is kept here.
-- Invariant: it never goes down. What format 2 holds is all that 3 needs, so that it becomes that with the first process
-- that knows 3; those of the version before that run go on, and none starts any more.
-- Gives: the format

keep_clock()
-- The version before wakes what is parked without a word here, and finishes it.
for _, seq in ipairs(call('ZRANGE', base .. 'parked', 0, 999)) do
  if not call('ZSCORE', base .. 'live', seq) then call('ZREM', base .. 'parked', seq) end
end

local format = tonumber(call('HGET', meta, 'format'))
if format ~= 2 then return format end
call('HSET', meta, 'format', FORMAT)
return FORMAT
