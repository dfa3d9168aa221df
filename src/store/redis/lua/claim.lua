#!lua flags=allow-oom
-- Gives out work: ends leases that have run out, wakes lanes that are due, takes the first event of each lane in turn.
--
-- Invariant: at most one live lease a lane, always on its first event; each claim has a greater token than all before
-- it, and is counted before it is given out, so that the death of whoever got it does not undo the count. Nothing begins
-- while a spool may hold what came before it.
--
-- ARGV[2] most jobs  [3] lease in ms  [4] '1': only commands to the gateway  [5] who claims
-- ARGV[6] a process that dies with more events in hand than this makes none of them a suspect
-- ARGV[7] most turns of the conversation to bring along, '' for none  [8] since, in ms
-- Gives: { status, job, job, … }, a job being
--   { token, seq, lane, attempt, failures, cut offs, at, body, refusal, progress, crashes, replay, stop, waits since,
--     signals or '', kind, agent or '', busy, texts of what is joined to it, turns }
--   `turns` is left out where nobody asked for them, or where there is no room

-- Lanes that are due, leases that have run out, lanes that must not begin: of each so many are looked at. Nobody else is
-- served meanwhile, and the next claim goes on.
local LANES_AT_ONCE = 128
local ASIDE_AT_ONCE = 500
local BYTES_MAX = 8 * 1024 * 1024
local TURNS_BYTES_MAX = 1024 * 1024
-- How far `seen` of a conversation may lag behind: to the hour is enough, and spares a busy one the writes.
local SEEN_MS = 3600000
local DEATH_MS = 600000

local wall, steady = keep_clock()
local now = whole(wall)
local jobs_max, lease_ms, owner = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5]
local suspects_max = tonumber(ARGV[6])

-- Leases of one process run out one after the other; how many it held when the first did is what counts.
local function in_hand(who)
  local key = base .. 'death:' .. who
  local held = tonumber(call('GET', key) or '')
  if held then return held end
  held = tonumber(call('HGET', base .. 'owners', who) or '') or 1
  call('SET', key, held, 'PX', DEATH_MS)
  return held
end

-- Its holder may only be stopped, on its way to say what it has reserved. A process of that name that comes later knows
-- that it is gone; nobody else does.
local function set_adrift(seq, who)
  if call('EXISTS', base .. 'o:' .. seq) == 0 then return end
  local others = call('HGET', event_key(seq), 'adrift')
  call('HSET', event_key(seq), 'adrift', others and others ~= who and '*' or who)
end

-- Who looks for commands alone has no room for more, or lets others come first after an outage: processes that were cut
-- off may then still renew what they run.
local is_for_control = ARGV[4] == '1'
local overdue = is_for_control and {}
  or call('ZRANGE', base .. 'leases', '-inf', steady, 'BYSCORE', 'LIMIT', 0, LANES_AT_ONCE)
for _, seq in ipairs(overdue) do
  local who, lane = unpack(call('HMGET', event_key(seq), 'owner', 'lane'))
  if in_hand(who) <= suspects_max then call('HINCRBY', event_key(seq), 'crashes', 1) end
  set_adrift(seq, who)
  end_lease(seq, who)
  make_ready(lane, seq)
end

local is_parked = call('EXISTS', base .. 'parked') == 1
for _, lane in ipairs(call('ZRANGE', base .. 'held', '-inf', steady, 'BYSCORE', 'LIMIT', 0, LANES_AT_ONCE)) do
  local seq = call('LINDEX', lane_key(lane), 0)
  call('ZREM', base .. 'held', lane)
  if is_parked then call('ZREM', base .. 'parked', seq) end
  make_ready(lane, seq)
end

local function see(conversation)
  local key = conversation_key(conversation)
  local known = call('HMGET', key, 'known', 'seen')
  if known[1] == '1' and math.abs(wall - tonumber(known[2])) <= SEEN_MS then return end
  call('HSET', key, 'known', 1, 'seen', wall)
  call('ZADD', base .. 'idle', 'NX', wall, conversation)
end

local turns_max, since = tonumber(ARGV[7]), tonumber(ARGV[8])
local turns_bytes = 0
local function recalled(conversation)
  if not turns_max or turns_bytes >= TURNS_BYTES_MAX then return nil end
  local turns, bytes = turns_of(conversation, turns_max, since)
  turns_bytes = turns_bytes + bytes
  return turns
end

-- The version before wrote into an answer how many failures it had behind it, and counted on.
local function forgive(key, failures, forgiven, progress)
  if forgiven or failures == 0 or not progress then return failures, tonumber(forgiven or 0) end
  local before = string.match(progress, '"failuresBefore":(%d+)[,}]')
  if not before then return failures, 0 end
  before = math.min(failures, tonumber(before))
  call('HSET', key, 'failures', failures - before, 'forgiven', before)
  return failures - before, before
end

local leased_until = whole(steady + lease_ms)
local function begin(lane, token)
  local seq = call('LINDEX', lane_key(lane), 0)
  local key = event_key(seq)
  local held = call('HMGET', key, 'failures', 'at', 'body', 'refusal', 'progress', 'crashes', 'replay', 'stop',
    'conversation', 'attempt', 'since', 'forgiven', 'signals', 'kind', 'agent', 'busy', 'merged')
  local attempt = tonumber(held[10] or 0) + 1
  if tonumber(held[1] or 0) > 0 then call('ZREM', base .. 'retrying', seq) end
  -- How many signals come with this claim. The version before does not take out of `parked` what it wakes.
  if held[13] then call('HSET', key, 'given', #cjson.decode(held[13]) / 2) end
  if is_parked then call('ZREM', base .. 'parked', seq) end
  local failures, forgiven = forgive(key, tonumber(held[1] or 0), held[12], held[5])
  call('HSET', key, 'token', token, 'owner', owner, 'up', now, 'attempt', attempt, 'step', 0)
  call('ZADD', base .. 'leases', leased_until, seq)
  if not held[4] then see(held[9] or lane) end
  -- `since` is also when a spool brought it: whoever sent that has waited since it was said.
  local is_replayed = held[11] and call('HEXISTS', key, 'replays') == 1
  return {
    token, seq, lane, attempt, failures, attempt - 1 - failures - forgiven, held[2], held[3], held[4] or '', held[5] or '',
    tonumber(held[6] or 0), tonumber(held[7] or 0), held[8] and 1 or 0, is_replayed and held[11] or held[2],
    held[13] or '', kind_of(lane, held[14], held[4]), held[15] or '', held[16] or 'queue', joined_texts(held[17]),
    not held[4] and recalled(held[9] or lane) or nil,
  }
end

-- Nothing becomes urgent while this runs, so once is enough to find that nothing is. Gives also whether the lane is.
local is_urgent = true
local function next_lane()
  local lane = is_urgent and call('LPOP', base .. 'urgent')
  if lane then return lane, true end
  is_urgent = false
  if is_for_control then return nil end
  return take_turn(), false
end

-- What waits for the spools of others is looked at again after this.
local ASIDE_MS = 200
local low = low_mark(steady)
local aside = 0
-- Nothing is put before an event that has begun, so that one goes on.
local function may_begin(lane)
  if low == math.huge then return true end
  local found = call('HMGET', event_key(call('LINDEX', lane_key(lane), 0)), 'came', 'attempt', 'progress')
  return tonumber(found[2] or 0) > 0 or found[3] or tonumber(found[1] or 0) < low
end

local answer = { {} }
-- A server that takes over may lack the newest claims. Tokens are ahead of the time, so that those who got them do not
-- meet them again in other hands.
local fence = math.max(tonumber(call('HGET', meta, 'fence')), steady * 1000)
local taken, bytes = 0, 0
while taken < jobs_max and bytes < BYTES_MAX and aside < ASIDE_AT_ONCE do
  local lane, is_command = next_lane()
  if not lane then break end
  if is_command or may_begin(lane) then
    taken = taken + 1
    local job = begin(lane, whole(fence + taken))
    bytes = bytes + #job[8] + #job[10]
    answer[taken + 1] = job
  else
    aside = aside + 1
    call('ZADD', base .. 'held', whole(steady + ASIDE_MS), lane)
  end
end
if taken > 0 then
  call('HSET', meta, 'fence', whole(fence + taken))
  call('HINCRBY', base .. 'owners', owner, taken)
  call('DEL', base .. 'death:' .. owner)
end
answer[1] = status(steady)
-- However many more there are: they wait for the same, and who asks again at once would only go round.
if taken == 0 and aside > 0 then answer[1][1] = 0 end
return answer
