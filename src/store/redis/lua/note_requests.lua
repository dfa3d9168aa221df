-- Notes what became of requests. Without allow-oom: no promise hangs on it, and a full Redis has better uses.
-- Invariant: at most so many that were refused, and as many that were taken, are kept; a kind that has no more than an
-- equal share of the room keeps all.
-- ARGV[2] outcomes of what was refused  [3] of what was taken, with commas  [4] the most of either
--     [5] only those that are later than this id  then outcome, note, outcome, note …

local function key_of(outcome)
  return base .. 'r:' .. outcome
end

for i = 6, #ARGV, 2 do call('ZADD', key_of(ARGV[i]), 0, ARGV[i + 1]) end

local function fewest_first(a, b)
  return a.count < b.count
end

-- What store/shares.ts says.
local function cut(outcomes, room)
  local kinds = {}
  for outcome in string.gmatch(outcomes, '[^,]+') do
    local key = key_of(outcome)
    call('ZREMRANGEBYLEX', key, '-', '(' .. ARGV[5])
    kinds[#kinds + 1] = { key = key, count = call('ZCARD', key) }
  end
  table.sort(kinds, fewest_first)
  for i, kind in ipairs(kinds) do
    local kept = math.min(kind.count, math.floor(room / (#kinds - i + 1)))
    room = room - kept
    if kept < kind.count then call('ZREMRANGEBYRANK', kind.key, 0, kind.count - kept - 1) end
  end
end

cut(ARGV[2], tonumber(ARGV[4]))
cut(ARGV[3], tonumber(ARGV[4]))
return 1
