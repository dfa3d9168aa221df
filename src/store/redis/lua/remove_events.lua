#!lua flags=allow-oom
-- Deletes finished events, each with what was merged into it: see Upkeep in src/ports/upkeep.ts.
-- Invariant: one that is not over, or into which more was merged than is said, stays whole.
-- ARGV[2…] in pairs: seq, and the seqs that were merged into it, each with a space before and behind it
-- Gives: how many events went

local wall = read_clock()
local count = 0
for i = 2, #ARGV, 2 do
  local seq = ARGV[i]
  local id, state, merged = unpack(call('HMGET', event_key(seq), 'id', 'state', 'merged'))
  local is_whole = id and (state == 'done' or state == 'dropped' or state == 'dead')
  for one in string.gmatch(merged or '', '%S+') do
    is_whole = is_whole and string.find(ARGV[i + 1], ' ' .. one .. ' ', 1, true)
  end
  if is_whole then
    for one in string.gmatch(merged or '', '%S+') do
      delete_one(one, call('HGET', event_key(one), 'id'), 'merged', wall)
      count = count + 1
    end
    delete_one(seq, id, state, wall)
    count = count + 1
  end
end
return count
