-- Accepts events: deduplication, limits, order and the queue, in one step for each.
--
-- Invariant: an event is stored with all its keys, in one lane, or nothing of it is; a duplicate, a full queue and an
-- unknown conversation use up no allowance.
--
-- ARGV[2…] one event after the other, each in three:
--   a JSON array, its fields in the order of ../rows.ts: id, lane, kind (message | command), agent or '', busy (queue | drop | …), conversation ('': the lane), platform, tenant, sender,
--     refusal as JSON or '', its cause, notice_ms for which the person is not told again, only_known 1: only if the
--     conversation is known, may_be_told 1: of a limit, dedup_ms to remember the keys, most events waiting in a lane, in
--     all, came: when, by the clock of the process that took it, spooled 1: a spool has kept it since, limits (three each:
--     '<scope>:<key>', messages, ms), aliases
--   the event as JSON up to its text
--   the rest of it
-- Gives, for each: { kind, [cause or '', detail, notice ms, retry ms, told] } or { failed, why }

local OFFER_ARGS = 3
local NOTICE_MS_MIN = 60000
local BUSY_NOTICE_MS = 86400000
-- A flood that is refused must not fill the memory with what it says.
local NO_FILES = '"attachments":[]}'
local BARE = ',"text":"",' .. NO_FILES
-- Longer than a key is valid, so that its own time, which is compared, is what counts.
local TTL_MARGIN_MS = 60000

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
      local found = call('HMGET', event_key(chunk[i]), 'came', 'attempt', 'token', 'progress', 'into')
      local has_begun = tonumber(found[2] or 0) > 0 or found[3] or found[4] or found[5]
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
    'place', 'into')
  local is_gone = not found[5]
  if is_gone or found[1] or tonumber(found[2] or 0) > 0 or found[3] or found[4] or found[9] then return end
  local known = tonumber(found[5])
  if known < tonumber(came) or known == tonumber(came) and found[8] then return end
  call('HSET', event_key(seq), 'came', came)
  call('LREM', lane_key(found[6]), -1, seq)
  local before = find_place(seq, found[6], found[7] or found[6], came)
  if before then
    call('LINSERT', lane_key(found[6]), 'BEFORE', before, seq)
  else
    call('RPUSH', lane_key(found[6]), seq)
  end
end

-- Taken from the text as it is: cjson makes objects of empty lists. What is sought is not found inside of a text, whose
-- quotes are escaped. Whoever has the event in hand goes on with what was claimed.
local TEXT_END = '","attachments":['
local function grow(seq, tail)
  local found = call('HMGET', event_key(seq), 'state', 'refusal', 'progress', 'body')
  local body = found[4]
  if not body or found[1] or found[2] or found[3] then return end
  local kept = #body - #NO_FILES
  if string.sub(body, kept + 1) ~= NO_FILES or not string.find(body, '"mayGrow":true', 1, true) then return end
  local text_end = string.find(tail, TEXT_END, 1, true)
  call('HSET', event_key(seq), 'body', string.sub(body, 1, kept) .. string.sub(tail, text_end + 2))
end

local function is_known(conversation)
  local found = call('HMGET', conversation_key(conversation), 'known', 'n')
  return found[1] == '1' or has_live_events(conversation, found[2])
end

-- What several events of one call have in common is asked for once, and limits are written once.
local offers = (#ARGV - 1) / OFFER_ARGS
local debts, charged = {}, {}
local live, last_seq

-- Taken all at once, also those that are not used: an error in what follows must not lead to one being used twice.
local function next_seq()
  last_seq = (last_seq or call('HINCRBY', meta, 'seq', offers) - offers) + 1
  return whole(last_seq)
end

local function read_debts(limits)
  local unknown = {}
  for i = 1, #limits, 3 do
    if not debts[limits[i]] then unknown[#unknown + 1] = limits[i] end
  end
  if #unknown == 0 then return end
  local found = call('HMGET', base .. 'limits', unpack(unknown))
  for i, field in ipairs(unknown) do debts[field] = tonumber(found[i] or '') or 0 end
end

local function write_debts()
  local changes = {}
  for _, field in ipairs(charged) do
    changes[#changes + 1] = field
    changes[#changes + 1] = whole(debts[field])
  end
  if #changes > 0 then call('HSET', base .. 'limits', unpack(changes)) end
end

-- The generic cell rate algorithm: a limit is the time at which its bucket is empty of debt, in whole microseconds, of
-- which text is made faster than of fractions. All are charged or none.
-- Gives the scope of the first that is over, how long it counts, and when there is room; nil: none is.
local function refusal_by_limit(limits)
  read_debts(limits)
  local new = {}
  for i = 1, #limits, 3 do
    local field, messages, per_ms = limits[i], limits[i + 1], limits[i + 2]
    local debt_us = math.max(debts[field], steady_us) + math.floor(per_ms * 1000 / messages)
    local excess_us = debt_us - steady_us - per_ms * 1000
    if excess_us > 0 then return string.match(field, '^[^:]*'), per_ms, math.ceil(excess_us / 1000) end
    new[i] = debt_us
  end
  for i = 1, #limits, 3 do
    local field = limits[i]
    if not charged[field] then charged[#charged + 1] = field end
    debts[field], charged[field] = new[i], true
  end
  return nil
end

-- The first event of a lane, if it has begun: it runs, is parked, or waits for its next attempt.
local function run_in_hand(lane)
  local head = call('LINDEX', lane_key(lane), 0)
  if not head then return nil end
  local found = call('HMGET', event_key(head), 'token', 'attempt')
  local has_begun = found[1] or tonumber(found[2] or 0) > 0 or call('ZSCORE', base .. 'parked', head)
  return has_begun and head or nil
end

-- A mark from the future is from before the clock was set back: it must not silence for longer.
local function is_notice_due(cause, person, notice_ms)
  if notice_ms <= 0 then return false end
  local key = base .. 'n:' .. cause .. ':' .. person
  local told = tonumber(call('GET', key) or '')
  if told and told <= wall and wall - told < notice_ms then return false end
  call('SET', key, now, 'PX', notice_ms + TTL_MARGIN_MS)
  return true
end

local function accept(head, rest, tail)
  local OFFER_FIELDS = unpack(cjson.decode(head))
  if conversation == '' then conversation = lane end
  came = whole(came)
  local is_spooled = spooled == 1
  local expires, ttl = whole(wall + dedup_ms), whole(dedup_ms + TTL_MARGIN_MS)

  local keys = { base .. 'k:' .. id }
  for _, alias in ipairs(aliases) do
    if alias ~= id then keys[#keys + 1] = base .. 'k:' .. alias end
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
    if string.sub(tail, -#NO_FILES) ~= NO_FILES then grow(original, tail) end
    -- A write of its own: what waits for replicas or for the disk after a duplicate covers the original, too.
    call('HINCRBY', meta, 'duplicates', 1)
    return { 'duplicate' }
  end

  if only_known == 1 and not is_known(conversation) then return { 'unknown-conversation' } end
  live = live or call('ZCARD', base .. 'live')
  if is_full(lane, lane_max, live, all_max) then return { 'full' } end

  local detail, retry_ms = '', 0
  local about = cause
  if refusal == '' and busy == 'drop' and not is_spooled then
    local run = run_in_hand(lane)
    if run then
      cause, detail = 'busy', 'run ' .. run
      about = cause .. ' ' .. run
      notice_ms = may_be_told == 1 and BUSY_NOTICE_MS or 0
      refusal = cjson.encode({ cause = cause, detail = detail, noticeWindowMs = notice_ms })
    end
  end
  if refusal == '' and #limits > 0 then
    local scope, per_ms, wait_ms = refusal_by_limit(limits)
    if scope then
      cause, detail, retry_ms = 'rate_limited', scope, wait_ms
      about = cause
      notice_ms = may_be_told == 1 and math.max(NOTICE_MS_MIN, per_ms) or 0
      refusal = cjson.encode({
        cause = cause, detail = detail, noticeWindowMs = notice_ms, retryAfterMs = retry_ms,
      })
    end
  end

  local is_told = cause ~= '' and is_notice_due(about, platform .. ':' .. tenant .. ':' .. sender, notice_ms)
  local is_bare = cause ~= '' and not is_told
  local seq = next_seq()
  call('SET', keys[1], seq .. ' ' .. expires)
  for i = 2, #keys do call('SET', keys[i], seq .. ' ' .. expires, 'PX', ttl) end

  local offered_lane = lane
  if is_told then lane = lane .. '!notice' end
  local from = path_of(platform, tenant, sender)
  local at = is_spooled and came or now
  local body = rest .. (is_bare and BARE or tail)
  local fields = { 'id', id, 'lane', lane, 'from', from, 'at', at, 'came', came, 'body', body }
  local function add(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  if lane ~= conversation then add('conversation', conversation) end
  if agent ~= '' then add('agent', agent) end
  if busy ~= 'queue' then add('busy', busy) end
  if kind ~= 'message' or is_named_control(offered_lane) then add('kind', kind) end
  if cause ~= '' then add('cause', cause) end
  if is_spooled then
    add('since', now)
    add('up', now)
  end
  if is_bare then
    add('state', 'dropped')
    add('bare', 1)
    call('HSET', event_key(seq), unpack(fields))
    call('ZADD', base .. 'dropped', seq, seq)
    return { 'refused', cause, detail, notice_ms, retry_ms, 0 }
  end
  if is_told then add('refusal', refusal) end
  call('HSET', event_key(seq), unpack(fields))

  local before = is_spooled and find_place(seq, lane, conversation, came) or nil
  enqueue(seq, lane, conversation, is_told, before, from, is_told and 'notice' or kind)
  live = live + 1
  if is_told then return { 'refused', cause, detail, notice_ms, retry_ms, 1 } end
  return { 'accepted' }
end

local answers = {}
for i = 2, #ARGV, OFFER_ARGS do
  -- One that fails, as on a key that somebody else has made, fails alone. What is wrong with Redis itself (no memory, no
  -- replicas, read-only) was refused before the script began, because its first line is one of flags.
  local is_done, answer = pcall(accept, ARGV[i], ARGV[i + 1], ARGV[i + 2])
  answers[#answers + 1] = is_done and answer or { 'failed', type(answer) == 'table' and answer.err or answer }
end
write_debts()
return answers
