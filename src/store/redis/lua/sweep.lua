#!lua flags=allow-oom
-- Deletes what is past its time, one bite.
--
-- Invariant: an event goes with its outbox, its progress and, unless it still bars others, its key; what waits or runs
-- stays, and so does its conversation.
--
-- ARGV[2] done | dropped | dead | conversations | limits  [3] after this seq or cursor  [4] ms to keep
-- Gives: { how many went, where to go on or -1 }

local BITE = 128
local SEEN_MS = 3600000

local wall, steady = keep_clock()
local stage, until_ms = ARGV[2], wall - tonumber(ARGV[4])

-- What was merged into it stays as long as it, and goes with it.
local function delete_event(seq, id)
  local gone = 0
  for merged in string.gmatch(call('HGET', event_key(seq), 'merged') or '', '%S+') do
    gone = gone + delete_one(merged, call('HGET', event_key(merged), 'id'), 'merged', wall)
  end
  return gone + delete_one(seq, id, stage, wall)
end

local function sweep_events()
  local gone = 0
  local last = ARGV[3]
  local seqs = call('ZRANGE', base .. stage, '(' .. last, '+inf', 'BYSCORE', 'LIMIT', 0, BITE)
  for _, seq in ipairs(seqs) do
    local found = call('HMGET', event_key(seq), 'id', 'at', 'since', 'up')
    -- Nothing is finished before it came, so from here on all are too young.
    if found[1] and tonumber(found[3] or found[2]) > until_ms then return { gone, -1 } end
    last = seq
    if not found[1] then
      call('ZREM', base .. stage, seq)
    elseif tonumber(found[4] or found[2]) <= until_ms then
      gone = gone + delete_event(seq, found[1])
    end
  end
  return { gone, #seqs < BITE and -1 or tonumber(last) }
end

local function time_of(turn)
  return tonumber(string.match(turn, '^%S+ (%-?%d+)'))
end

-- A summary stands behind the turns that it is of, and has the time of the oldest.
local function sweep_summaries(conversation, key)
  local gone, summed = 0, math.huge
  drop_summaries(conversation, function(_, at)
    if at >= until_ms then summed = math.min(summed, at) else gone = gone + 1 end
    return at < until_ms
  end)
  if summed == math.huge then call('HDEL', key, 'summed') else call('HSET', key, 'summed', whole(summed)) end
  return gone
end

-- Trims the old turns of a conversation, some of them if there are many, and forgets it when there is nothing left to
-- remember.
local function sweep_conversation(conversation)
  local key, turns = conversation_key(conversation), base .. 't:' .. conversation
  local gone = 0
  local first = call('LINDEX', turns, 0)
  if first and time_of(first) < until_ms then
    local oldest = call('LRANGE', turns, 0, BITE)
    while oldest[gone + 1] and time_of(oldest[gone + 1]) < until_ms do gone = gone + 1 end
    call('LTRIM', turns, gone, -1)
    first = oldest[gone + 1]
    -- Its place among the idle is as it was, so that the next bite goes on with it.
    if gone > BITE then return gone end
  end
  local found = call('HMGET', key, 'n', 'seen', 'summed')
  local seen = tonumber(found[2] or '') or 0
  if found[3] and tonumber(found[3]) < until_ms then gone = gone + sweep_summaries(conversation, key) end
  if has_live_events(conversation, found[1]) then
    call('HSET', key, 'seen', wall)
    call('ZADD', base .. 'idle', wall, conversation)
  elseif first then
    local summed = tonumber(call('HGET', key, 'summed') or math.huge)
    call('ZADD', base .. 'idle', whole(math.min(time_of(first), summed)), conversation)
  elseif seen < until_ms - SEEN_MS then
    gone = gone + call('DEL', key)
    call('ZREM', base .. 'idle', conversation)
  else
    call('ZADD', base .. 'idle', math.max(seen + SEEN_MS, until_ms), conversation)
  end
  return gone
end

local function sweep_conversations()
  local gone = 0
  local names = call('ZRANGE', base .. 'idle', '-inf', '(' .. whole(until_ms), 'BYSCORE', 'LIMIT', 0, BITE)
  for _, conversation in ipairs(names) do
    gone = gone + sweep_conversation(conversation)
    if gone > BITE then return { gone, 0 } end
  end
  return { gone, #names < BITE and -1 or 0 }
end

-- What is not in debt is as if it had never been, and is not counted.
local function sweep_limits()
  local found = call('HSCAN', base .. 'limits', ARGV[3], 'COUNT', BITE)
  local settled = {}
  for i = 1, #found[2], 2 do
    if tonumber(found[2][i + 1]) <= steady * 1000 then settled[#settled + 1] = found[2][i] end
  end
  if #settled > 0 then call('HDEL', base .. 'limits', unpack(settled)) end
  return { 0, found[1] == '0' and -1 or tonumber(found[1]) }
end

if stage == 'limits' then return sweep_limits() end
if stage == 'conversations' then return sweep_conversations() end
return sweep_events()
