-- Accepts an event: deduplication, limits, order and the queue, in one step.
--
-- Invariant: an event is stored with all its keys, in one lane, or nothing of it is; a duplicate, a full queue and an
-- unknown conversation use up no allowance.
--
-- ARGV[2]  the rest of the event as JSON, open at the end    [3] its text, [4] its attachments, as JSON
-- ARGV[5]  id  [6] lane  [7] conversation  [8] platform  [9] tenant  [10] sender
-- ARGV[11] a refusal as JSON, or ''  [12] its cause  [13] ms for which the person is not told again
-- ARGV[14] '1': only if the conversation is known  [15] '1': may be told of a limit  [16] ms to remember the keys
-- ARGV[17] most events waiting in a lane  [18] in all
-- ARGV[19] when it came, by the clock of the process that took it  [20] '1': a spool has kept it since
-- ARGV[21] how many limits; four each: scope, key, messages, ms. Then the aliases.
-- Gives: { kind, [cause or '', detail, notice ms, retry ms, told] }

local NOTICE_MS_MIN = 60000
-- Longer than a key is valid, so that its own time, which is compared, is what counts.
local TTL_SLACK_MS = 60000
local ROUNDING_MS = 0.001

local wall, steady = keep_clock()
-- As text: Redis would make it anew for each call that gets a number.
local now = whole(wall)
local id, lane, conversation = ARGV[5], ARGV[6], ARGV[7]
local person = ARGV[8] .. ':' .. ARGV[9] .. ':' .. ARGV[10]
local dedup_ms = tonumber(ARGV[16])
local expires = whole(wall + dedup_ms)
local limit_count = tonumber(ARGV[21])

local names = { id }
for i = 22 + limit_count * 4, #ARGV do
  if ARGV[i] ~= id then names[#names + 1] = ARGV[i] end
end
local keys = {}
for i, name in ipairs(names) do keys[i] = base .. 'k:' .. name end
-- The limits are read with them: one call costs less than five.
for i = 22, 21 + limit_count * 4, 4 do keys[#keys + 1] = base .. 'r:' .. ARGV[i] .. ':' .. ARGV[i + 1] end
local values = call('MGET', unpack(keys))

-- What a spool kept comes before what came later and has not begun. By when it came, and not by when it was accepted:
-- a call that Redis took its time for may be carried out after the next event went to the spool.
-- Sought from the end: a lane is in this order already, and may be long.
local came, is_spooled = ARGV[19], ARGV[20] == '1'
local CHUNK = 32
-- Gives that one, and the one before it that stays there; nil for none.
local function first_that_came_later(lane)
  local before
  local last = -1
  while true do
    local chunk = call('LRANGE', lane_key(lane), last - CHUNK + 1, last)
    for i = #chunk, 1, -1 do
      local found = call('HMGET', event_key(chunk[i]), 'came', 'attempt', 'token', 'progress')
      local has_begun = found[2] ~= '0' or found[3] or found[4]
      if has_begun or tonumber(found[1]) <= tonumber(came) then return before, chunk[i] end
      before = chunk[i]
    end
    if #chunk < CHUNK then return before end
    last = last - CHUNK
  end
end

-- Gives the event that it comes before; nil: it is the last.
local function find_place(seq, lane, conversation)
  local before, after = first_that_came_later(lane)
  if not before then return nil end
  local last = place_of(before)
  local forgotten = tonumber(call('HGET', conversation_key(conversation), 'forgotten') or 0)
  local first = after and place_of(after) or math.max(forgotten, last - 1)
  call('HSET', event_key(seq), 'place', exact((first + last) / 2))
  return before
end

-- Several processes may have spooled the same event, each behind other ones: the first of them says when it came.
local function move_up(seq)
  local found = call('HMGET', event_key(seq), 'state', 'attempt', 'token', 'progress', 'came', 'lane', 'conversation')
  if found[1] or found[2] ~= '0' or found[3] or found[4] or tonumber(found[5]) <= tonumber(came) then return end
  call('HSET', event_key(seq), 'came', came)
  call('LREM', lane_key(found[6]), -1, seq)
  local before = find_place(seq, found[6], found[7])
  if before then
    call('LINSERT', lane_key(found[6]), 'BEFORE', before, seq)
  else
    call('RPUSH', lane_key(found[6]), seq)
  end
end

local original
for i = 1, #names do
  local seq, is_live = read_key(values[i], wall)
  if is_live then
    original = seq
    break
  end
end
if original then
  -- A third delivery may share a key with the second only.
  for i = 1, #names do
    local _, is_live = read_key(values[i], wall)
    if not is_live then call('SET', keys[i], original .. ' ' .. expires, 'PX', dedup_ms + TTL_SLACK_MS) end
  end
  if is_spooled then move_up(original) end
  -- A write of its own: what waits for replicas or for the disk after a duplicate covers the original, too.
  call('HINCRBY', meta, 'duplicates', 1)
  return { 'duplicate' }
end

if ARGV[14] == '1' then
  local known = call('HMGET', conversation_key(conversation), 'known', 'n')
  if known[1] ~= '1' and (tonumber(known[2] or '') or 0) == 0 then return { 'unknown-conversation' } end
end
if is_full(lane, tonumber(ARGV[17]), tonumber(ARGV[18])) then return { 'full' } end

-- The generic cell rate algorithm: a limit is the time at which its bucket is empty of debt. All are charged or none.
local function refusal_by_limit()
  local charges = {}
  for i = 1, limit_count do
    local at = 18 + i * 4
    local scope, messages, per_ms = ARGV[at], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local debt = math.max(tonumber(values[#names + i] or '') or steady, steady) + per_ms / messages
    local excess = debt - steady - per_ms
    if excess > ROUNDING_MS then return scope, per_ms, math.ceil(excess - ROUNDING_MS) end
    charges[i] = { keys[#names + i], debt }
  end
  for _, charge in ipairs(charges) do
    call('SET', charge[1], charge[2], 'PX', math.ceil(charge[2] - steady) + TTL_SLACK_MS)
  end
  return nil
end

local cause, detail, notice_ms, retry_ms = '', '', 0, 0
local refusal = ARGV[11]
if refusal ~= '' then
  cause, notice_ms = ARGV[12], tonumber(ARGV[13])
elseif limit_count > 0 then
  local scope, per_ms, wait_ms = refusal_by_limit()
  if scope then
    cause, detail, retry_ms = 'rate_limited', scope, wait_ms
    if ARGV[15] == '1' then notice_ms = math.max(NOTICE_MS_MIN, per_ms) end
    refusal = cjson.encode({
      cause = cause, detail = detail, noticeWindowMs = notice_ms, retryAfterMs = retry_ms,
    })
  end
end

-- A mark from the future is from before the clock was set back: it must not silence for longer.
local function is_notice_due()
  if notice_ms <= 0 then return false end
  local key = base .. 'n:' .. cause .. ':' .. person
  local told = tonumber(call('GET', key) or '')
  if told and told <= wall and wall - told < notice_ms then return false end
  call('SET', key, wall, 'PX', notice_ms + TTL_SLACK_MS)
  return true
end

local is_told = cause ~= '' and is_notice_due()
local is_bare = cause ~= '' and not is_told
local seq = whole(call('HINCRBY', meta, 'seq', 1))
call('SET', keys[1], seq .. ' ' .. expires)
for i = 2, #names do call('SET', keys[i], seq .. ' ' .. expires, 'PX', dedup_ms + TTL_SLACK_MS) end

-- A flood that is refused must not fill the memory with what it says.
local text, attachments = ARGV[3], ARGV[4]
if is_bare then text, attachments = '""', '[]' end
local body = ARGV[2] .. ',"text":' .. text .. ',"attachments":' .. attachments .. '}'
if is_told then lane = lane .. '!notice' end
call('HSET', event_key(seq), 'id', id, 'lane', lane, 'conversation', conversation,
  'platform', ARGV[8], 'tenant', ARGV[9], 'sender', ARGV[10],
  'at', is_spooled and came or now, 'came', came, 'since', now, 'up', now, 'attempt', '0', 'failures', '0', 'body', body)
if cause ~= '' then call('HSET', event_key(seq), 'cause', cause) end
if is_bare then
  call('HSET', event_key(seq), 'state', 'dropped', 'bare', 1)
  call('ZADD', base .. 'dropped', seq, seq)
  return { 'refused', cause, detail, notice_ms, retry_ms, 0 }
end
if is_told then call('HSET', event_key(seq), 'refusal', refusal) end

local before = is_spooled and find_place(seq, lane, conversation) or nil
enqueue(seq, lane, conversation, is_told, before, { ARGV[8], ARGV[9], ARGV[10] })
if is_told then return { 'refused', cause, detail, notice_ms, retry_ms, 1 } end
return { 'accepted' }
