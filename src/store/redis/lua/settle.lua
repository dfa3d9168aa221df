#!lua flags=allow-oom
-- Ends a claim: the event is finished, or goes back to the front of its lane.
--
-- Invariant: only the holder of the lease settles; what waits to be tried again stays the first of its lane, so order
-- is kept; what is joined to it ends with it; turns are remembered in the same step. The same call (op) made twice,
-- because its answer was lost, is one.
--
-- ARGV[2] seq  [3] token  [4] op  [5] done | dropped | dead | retry | defer | park  [6] cause, or ''  [7] delay in ms
-- ARGV[8] most turns kept of a memory  [9] its key, or '' for the conversation; then two for each turn: its time, its JSON; to
-- park, instead: the progress, its number, and whether it is the first answer, as for a checkpoint
-- Gives: { 1, status }, { 1 } when there is no more to claim than before, or { 0 } when the lease is lost

local wall, steady = keep_clock()
local seq, kind = ARGV[2], ARGV[5]
local key = event_key(seq)
local found = call('HMGET', key, 'token', 'op', 'owner', 'lane', 'conversation', 'refusal', 'cause', 'place',
  'signals', 'given', 'merged')
if found[1] ~= ARGV[3] then
  if found[2] ~= ARGV[4] then return { 0 } end
  return { 1, status(steady) }
end

local lane, conversation, is_notice = found[4], found[5] or found[4], found[6]
end_lease(seq, found[3])
local changes = { 'up', whole(wall), 'op', ARGV[4] }
local function change(field, value)
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end
if ARGV[6] ~= '' then change('cause', ARGV[6]) elseif found[7] then call('HDEL', key, 'cause') end

local function put_back()
  if kind == 'defer' then
    call('HINCRBY', key, 'attempt', -1)
  else
    call('HINCRBY', key, 'failures', 1)
    call('ZADD', base .. 'retrying', seq, seq)
  end
  local delay_ms = tonumber(ARGV[7])
  if delay_ms > 0 then call('ZADD', base .. 'held', steady + delay_ms, lane) else make_ready(lane, seq) end
  return true
end

-- What was said to it since its claim is for the next one, at once; and a stop is never over before its event is.
local function park()
  keep_progress(seq, ARGV[9], ARGV[10], ARGV[11], wall)
  call('HINCRBY', key, 'attempt', -1)
  local kept, left = found[9] and cjson.decode(found[9]) or {}, {}
  for i = 1, #kept, 2 do
    if i > 2 * tonumber(found[10] or 0) or kept[i] == 'stop' then
      left[#left + 1] = kept[i]
      left[#left + 1] = kept[i + 1]
    end
  end
  if found[10] then call('HDEL', key, 'given') end
  if #left < #kept then call('HDEL', key, 'signals') end
  if #left > 0 then change('signals', cjson.encode(left)) end
  local delay_ms = tonumber(ARGV[7])
  if #left > 0 or delay_ms <= 0 then
    make_ready(lane, seq)
  else
    call('ZADD', base .. 'parked', seq, seq)
    call('ZADD', base .. 'held', steady + delay_ms, lane)
  end
  return true
end

-- What came before the person said "forget" is forgotten too, even if it ends only now; so is what was taken back.
local function remember()
  if #ARGV < 10 then return end
  local memory = ARGV[9] ~= '' and ARGV[9] or conversation
  local forgotten = tonumber(call('HGET', conversation_key(memory), 'forgotten') or 0)
  local place = found[8] or seq
  if tonumber(place) <= forgotten then return end
  if is_withdrawn(found[9]) then return end
  for joined in string.gmatch(found[11] or '', '%S+') do
    if is_withdrawn(call('HGET', event_key(joined), 'signals')) then return end
  end
  local key_of_turns, turns, oldest = base .. 't:' .. memory, {}, math.huge
  for i = 10, #ARGV, 2 do
    local at, turn = tonumber(ARGV[i]), ARGV[i + 1]
    local is_one = is_summary(turn)
    if not is_one or is_still_of(call('LRANGE', key_of_turns, 0, -1), cjson.decode(turn).covers) then
      turns[#turns + 1] = place .. ' ' .. ARGV[i] .. ' ' .. turn
      oldest = math.min(oldest, at)
      if is_one then
        local summed = tonumber(call('HGET', conversation_key(memory), 'summed') or at)
        call('HSET', conversation_key(memory), 'summed', whole(math.min(summed, at)))
      end
    end
  end
  if #turns == 0 then return end
  local kept_max = tonumber(ARGV[8])
  if call('RPUSH', key_of_turns, unpack(turns)) > kept_max then call('LTRIM', key_of_turns, -kept_max, -1) end
  call('ZADD', base .. 'idle', 'LT', whole(oldest), memory)
  -- For whoever takes it back, who knows the event alone.
  if memory ~= conversation then change('memory', memory) end
end

-- Out of the list of live ones, into that of its state.
local function take_out(one, state)
  call('ZREM', base .. 'live', one)
  call('ZADD', base .. state, one, one)
  if not is_notice and lane ~= conversation then call('HINCRBY', conversation_key(conversation), 'n', -1) end
end

local function finish()
  if kind == 'done' then remember() end
  if found[9] then call('HDEL', key, 'signals', 'given') end
  change('state', kind)
  call('LPOP', lane_key(lane))
  take_out(seq, kind)
  for joined in string.gmatch(found[11] or '', '%S+') do
    call('LREM', lane_key(lane), 1, joined)
    call('HSET', event_key(joined), 'state', 'merged', 'up', whole(wall))
    call('HDEL', event_key(joined), 'signals')
    take_out(joined, 'merged')
  end
  local next_seq = call('LINDEX', lane_key(lane), 0)
  if next_seq then make_ready(lane, next_seq) end
  return next_seq
end

local is_news
if kind == 'park' then
  is_news = park()
elseif kind == 'retry' or kind == 'defer' then
  is_news = put_back()
else
  is_news = finish()
end
call('HSET', key, unpack(changes))
if is_news then return { 1, status(steady) } end
return { 1 }
