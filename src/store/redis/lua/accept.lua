-- Accepts events: deduplication, limits, order and the queue, in one step for each.
--
-- Invariant: an event is stored with all its keys, in one lane, or nothing of it is; a duplicate, a full queue and an
-- unknown conversation use up no allowance.
--
-- ARGV[2…] one event after the other, each with the number of its values first, and then these:
--   [1]  the rest of the event as JSON, open at the end  [2] its text, [3] its attachments, as JSON
--   [4]  id  [5] lane  [6] conversation  [7] platform  [8] tenant  [9] sender
--   [10] a refusal as JSON, or ''  [11] its cause  [12] ms for which the person is not told again
--   [13] '1': only if the conversation is known  [14] '1': may be told of a limit  [15] ms to remember the keys
--   [16] most events waiting in a lane  [17] in all
--   [18] when it came, by the clock of the process that took it  [19] '1': a spool has kept it since
--   [20] how many limits; three each: '<scope>:<key>', messages, ms. Then the aliases.
-- Gives, for each: { kind, [cause or '', detail, notice ms, retry ms, told] }

local NOTICE_MS_MIN = 60000
-- Longer than a key is valid, so that its own time, which is compared, is what counts.
local TTL_SLACK_MS = 60000

local wall, steady = keep_clock()
-- As text: Redis would make it anew for each call that gets a number.
local now = whole(wall)
local steady_us = steady * 1000

-- What a spool kept comes before what came later and has not begun. By when it came, and not by when it was accepted:
-- a call that Redis took its time for may be carried out after the next event went to the spool.
-- Sought from the end: a lane is in this order already, and may be long.
local CHUNK = 32
-- Gives that one, and the one before it that stays there; nil for none.
local function first_that_came_later(lane, came)
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
local function find_place(seq, lane, conversation, came)
  local before, after = first_that_came_later(lane, came)
  if not before then return nil end
  local last = place_of(before)
  local forgotten = tonumber(call('HGET', conversation_key(conversation), 'forgotten') or 0)
  local first = after and place_of(after) or math.max(forgotten, last - 1)
  call('HSET', event_key(seq), 'place', exact((first + last) / 2))
  return before
end

-- Several processes may have spooled the same event, each behind other ones: the first of them says when it came. And
-- one that was taken before it was spooled, late and so out of turn, has not been given its place yet.
local function move_up(seq, came)
  local found = call('HMGET', event_key(seq), 'state', 'attempt', 'token', 'progress', 'came', 'lane', 'conversation',
    'place')
  if found[1] or found[2] ~= '0' or found[3] or found[4] then return end
  local known = tonumber(found[5])
  if known < tonumber(came) or known == tonumber(came) and found[8] then return end
  call('HSET', event_key(seq), 'came', came)
  call('LREM', lane_key(found[6]), -1, seq)
  local before = find_place(seq, found[6], found[7], came)
  if before then
    call('LINSERT', lane_key(found[6]), 'BEFORE', before, seq)
  else
    call('RPUSH', lane_key(found[6]), seq)
  end
end

local function is_known(conversation)
  local found = call('HMGET', conversation_key(conversation), 'known', 'n')
  return found[1] == '1' or (tonumber(found[2] or '') or 0) > 0
end

-- The generic cell rate algorithm: a limit is the time at which its bucket is empty of debt, in whole microseconds, of
-- which text is made faster than of fractions. All are charged or none.
-- Gives the scope of the first that is over, how long it counts, and when there is room; nil: none is.
local function refusal_by_limit(count, given)
  local fields = {}
  for i = 1, count do fields[i] = given[3 * i - 2] end
  local debts = call('HMGET', base .. 'limits', unpack(fields))
  local charges = {}
  for i, field in ipairs(fields) do
    local messages, per_ms = tonumber(given[3 * i - 1]), tonumber(given[3 * i])
    local cost_us = math.floor(per_ms * 1000 / messages)
    local debt_us = math.max(tonumber(debts[i] or '') or 0, steady_us) + cost_us
    local excess_us = debt_us - steady_us - per_ms * 1000
    if excess_us > 0 then return string.match(field, '^[^:]*'), per_ms, math.ceil(excess_us / 1000) end
    charges[2 * i - 1], charges[2 * i] = field, whole(debt_us)
  end
  call('HSET', base .. 'limits', unpack(charges))
  return nil
end

-- A mark from the future is from before the clock was set back: it must not silence for longer.
local function is_notice_due(cause, person, notice_ms)
  if notice_ms <= 0 then return false end
  local key = base .. 'n:' .. cause .. ':' .. person
  local told = tonumber(call('GET', key) or '')
  if told and told <= wall and wall - told < notice_ms then return false end
  call('SET', key, now, 'PX', notice_ms + TTL_SLACK_MS)
  return true
end

local function accept(rest, text, attachments, id, lane, conversation, platform, tenant, sender, refusal, cause,
                      notice_ms, only_known, may_be_told, dedup_ms, lane_max, all_max, came, spooled, limit_count, ...)
  local given = { ... }
  limit_count = tonumber(limit_count)
  local is_spooled = spooled == '1'
  local expires, ttl = whole(wall + dedup_ms), whole(dedup_ms + TTL_SLACK_MS)

  local keys = { base .. 'k:' .. id }
  for i = limit_count * 3 + 1, #given do
    if given[i] ~= id then keys[#keys + 1] = base .. 'k:' .. given[i] end
  end
  local values = call('MGET', unpack(keys))
  local original
  for i = 1, #keys do
    local seq, is_live = read_key(values[i], wall)
    if is_live then
      original = seq
      break
    end
  end
  if original then
    -- A third delivery may share a key with the second only.
    for i = 1, #keys do
      local _, is_live = read_key(values[i], wall)
      if not is_live then call('SET', keys[i], original .. ' ' .. expires, 'PX', ttl) end
    end
    if is_spooled then move_up(original, came) end
    -- A write of its own: what waits for replicas or for the disk after a duplicate covers the original, too.
    call('HINCRBY', meta, 'duplicates', 1)
    return { 'duplicate' }
  end

  if only_known == '1' and not is_known(conversation) then return { 'unknown-conversation' } end
  if is_full(lane, tonumber(lane_max), tonumber(all_max)) then return { 'full' } end

  local detail, retry_ms = '', 0
  notice_ms = tonumber(notice_ms)
  if refusal == '' and limit_count > 0 then
    local scope, per_ms, wait_ms = refusal_by_limit(limit_count, given)
    if scope then
      cause, detail, retry_ms = 'rate_limited', scope, wait_ms
      notice_ms = may_be_told == '1' and math.max(NOTICE_MS_MIN, per_ms) or 0
      refusal = cjson.encode({
        cause = cause, detail = detail, noticeWindowMs = notice_ms, retryAfterMs = retry_ms,
      })
    end
  end

  local person = platform .. ':' .. tenant .. ':' .. sender
  local is_told = cause ~= '' and is_notice_due(cause, person, notice_ms)
  local is_bare = cause ~= '' and not is_told
  local seq = whole(call('HINCRBY', meta, 'seq', '1'))
  call('SET', keys[1], seq .. ' ' .. expires)
  for i = 2, #keys do call('SET', keys[i], seq .. ' ' .. expires, 'PX', ttl) end

  -- A flood that is refused must not fill the memory with what it says.
  if is_bare then text, attachments = '""', '[]' end
  local body = rest .. ',"text":' .. text .. ',"attachments":' .. attachments .. '}'
  if is_told then lane = lane .. '!notice' end
  call('HSET', event_key(seq), 'id', id, 'lane', lane, 'conversation', conversation,
    'platform', platform, 'tenant', tenant, 'sender', sender,
    'at', is_spooled and came or now, 'came', came, 'since', now, 'up', now, 'attempt', '0', 'failures', '0',
    'body', body)
  if cause ~= '' then call('HSET', event_key(seq), 'cause', cause) end
  if is_bare then
    call('HSET', event_key(seq), 'state', 'dropped', 'bare', 1)
    call('ZADD', base .. 'dropped', seq, seq)
    return { 'refused', cause, detail, notice_ms, retry_ms, 0 }
  end
  if is_told then call('HSET', event_key(seq), 'refusal', refusal) end

  local before = is_spooled and find_place(seq, lane, conversation, came) or nil
  enqueue(seq, lane, conversation, is_told, before, { platform, tenant, sender })
  if is_told then return { 'refused', cause, detail, notice_ms, retry_ms, 1 } end
  return { 'accepted' }
end

local answers = {}
local at = 2
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  answers[#answers + 1] = accept(unpack(ARGV, at + 1, last))
  at = last + 1
end
return answers
