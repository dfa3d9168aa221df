#!lua flags=no-writes
-- Counts what a sweep would delete now, one bite: see sweep.lua.
--
-- ARGV[2] done | dropped | dead | conversations  [3] after this seq, or so many  [4] ms to keep
-- Gives: { events or turns, conversations, where to go on or -1 }

local BITE = 128
local SEEN_MS = 3600000

local stage, until_ms = ARGV[2], read_clock() - tonumber(ARGV[4])

local function events()
  local count, last = 0, ARGV[3]
  local seqs = call('ZRANGE', base .. stage, '(' .. last, '+inf', 'BYSCORE', 'LIMIT', 0, BITE)
  for _, seq in ipairs(seqs) do
    local found = call('HMGET', event_key(seq), 'at', 'since', 'up', 'merged')
    if found[1] and tonumber(found[2] or found[1]) > until_ms then return { count, 0, -1 } end
    last = seq
    if found[1] and tonumber(found[3] or found[1]) <= until_ms then
      local _, merged = string.gsub(found[4] or '', '%S+', '')
      count = count + 1 + merged
    end
  end
  return { count, 0, #seqs < BITE and -1 or tonumber(last) }
end

local function time_of(turn)
  return tonumber(string.match(turn, '^%S+ (%-?%d+)'))
end

-- How many turns are too old, and whether that is all of them.
local function old_turns(conversation)
  local key = base .. 't:' .. conversation
  local count = 0
  while true do
    local turns = call('LRANGE', key, count, count + BITE - 1)
    for _, turn in ipairs(turns) do
      if time_of(turn) >= until_ms then return count, false end
      count = count + 1
    end
    if #turns < BITE then return count, true end
  end
end

local function conversations()
  local turns, forgotten = 0, 0
  local names = call('ZRANGE', base .. 'idle', '-inf', '(' .. whole(until_ms), 'BYSCORE', 'LIMIT', ARGV[3], BITE)
  for _, conversation in ipairs(names) do
    local old, is_all = old_turns(conversation)
    turns = turns + old
    local found = call('HMGET', conversation_key(conversation), 'n', 'seen')
    local is_seen = (tonumber(found[2] or '') or 0) >= until_ms - SEEN_MS
    if is_all and not is_seen and not has_live_events(conversation, found[1]) then forgotten = forgotten + 1 end
  end
  return { turns, forgotten, #names < BITE and -1 or ARGV[3] + BITE }
end

return stage == 'conversations' and conversations() or events()
