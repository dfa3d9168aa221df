-- Common to all scripts; put before each of them.
--
-- Every key starts with the hash tag of the installation, so that all of them are in one slot and one script may
-- touch any of them. A script is one step: nobody sees it half done.
--
-- KEYS[1]  {prefix}:meta      last, skew: the clock; seq, fence, wake, duplicates: counters; gen: a new one when all was
--                             lost; format: the version of all this
-- ARGV[1]  the time in ms, or '' for the server's own
--
-- {prefix}:e:<seq>            an event, a hash: its text, and where it stands. What most of them have alike is left out:
--                             attempt and failures of 0, since and up as `at`, a conversation as the lane, a kind of
--                             `message`. `adrift`: whose lease ran out after it had reserved a part; '*' for several.
--                             `failures` counts from the answer on, once there is one; those before it are `forgiven`.
--                             `merged`: the seqs that are joined to it, right behind it in its lane, each of which has
--                             its seq as `into`; they end with it. `signals`: what was said to it, a JSON array of keys
--                             and signals; `stop`: a stop is among them; `given`: how many of them came with its last
--                             claim
-- {prefix}:k:<key>            an idempotency key: "<seq> <expires>". That of an event's id stays as long as the event
-- {prefix}:l:<lane>           a lane: the seqs that wait or run in it, oldest first; only the first is ever claimed
-- {prefix}:q…                 whose turn it is: rings of platforms, tenants, senders, lanes (make_ready, take_lane)
-- {prefix}:urgent             lanes whose first event is a command to the gateway, before all others
-- {prefix}:held               lanes whose first event is not yet due, by steady time
-- {prefix}:leases             seqs that are claimed, by the steady time at which the lease ends
-- {prefix}:owners             how many leases each process holds
-- {prefix}:death:<process>    how many it held when the first of them ran out
-- {prefix}:live, retrying, parked, done, dropped, dead, merged     seqs by state, by seq; `live` waits or runs
-- {prefix}:c:<conversation>   known, seen, forgotten (until which place), n (how many live events in other lanes than its
--                             own), summed (the oldest time of a summary among its turns, which is not where its time is)
-- {prefix}:t:<memory>         turns, "<place> <at> <json>", oldest first; most memories are of one conversation, and have its
--                             name. One that is not has `forgotten` in c:<memory>, and its events have `memory`
-- {prefix}:idle               conversations by the time from which something of them may be too old
-- {prefix}:o:<seq>            the outbox of an event: part id to "<state> <op> <answer> <sends before> <receipt>"; reserved
--                             with a receipt: a preview is out
-- {prefix}:p:<name>, w:<name> who is known by two names: the conversation and the passing name of a lasting one, and the
--                             lasting one of a passing one (person)
-- {prefix}:money:<day>        what each scope has spent and holds on a day, '<spent, held, …> <scope>', in millionths of a
--                             cent; warned: once a day; calls, and tokens by kind
-- {prefix}:money-held:<day>   each model call's part of `held`: its amount and its scopes, '-' once it is settled
-- {prefix}:limits             rate limits, '<scope>:<key>': the steady time until which each is in debt, in microseconds
-- {prefix}:r:<outcome>       the latest requests, '<id>\n<request id>\n<json>', sorted by their ids, which begin with the time
-- {prefix}:m:<conversation>   files of messages: a digest of each, and its bytes in base64; the conversation is a digest, too
-- {prefix}:media, media-sizes, media-bytes   each as "<conversation> <file>", by when it was kept; its size; all sizes
-- {prefix}:n:<cause, person>  when a person was told of a refusal last
-- {prefix}:holds              who holds a name: "<token> <until, by steady time> <process>" (hold)
-- {prefix}:notes              what holders have noted
-- {prefix}:vault              small texts by name, secrets encrypted; {prefix}:vault-names has the names in their order
-- {prefix}:audit              what was done to the gateway, "<hash> <json>" by seq; {prefix}:audit-ends: the last place, and
--                             the last that was let go of, each "<seq> <hash>"
-- {prefix}:spools             what each process with a spool has said of it last (low_mark)
--
-- A lane that is not empty is in exactly one of: the rings or `urgent` (ready), `held`, `leases` (its first event).

-- Two adjacent versions of the gateway share a Redis during an upgrade. So fields may be added, and whoever does not
-- know them leaves them alone; what cannot be done so takes a new format, which older versions refuse to open.
local FORMAT = 3

local call = redis.call
local meta = KEYS[1]
local base = string.sub(meta, 1, -5)

-- Numbers beyond 14 digits are cut when Lua makes text of them.
local function whole(number)
  return string.format('%d', number)
end
local function exact(number)
  return string.format('%.17g', number)
end

-- Wall time for what is shown and kept, steady time for what ends after a while: leases, delays, limits. When the
-- clock steps back, as it may when another server takes over, steady time goes on.
local function read_clock()
  local wall
  if ARGV[1] == '' then
    local time = call('TIME')
    wall = time[1] * 1000 + math.floor(time[2] / 1000)
  else
    wall = tonumber(ARGV[1])
  end
  local known = call('HMGET', meta, 'last', 'skew')
  local last = tonumber(known[1] or '') or wall
  local skew = tonumber(known[2] or '') or 0
  if wall < last then skew = skew + last - wall end
  return wall, wall + skew, last, skew
end

-- What a process has said of its spool: "<until> <number> <low> <state> <extended>". It holds nothing that came before
-- `low`, by its own clock; `state` is e (it holds nothing at all), s (it does) or u (it may). The word counts until then,
-- by steady time; of several of one process, that with the greatest number. `extended`: when u came about, or 0. One that
-- may is waited for as long as one that does: it may have been killed before it could say so, and be started again.
local HEARD_MS = { e = 1000, s = 15000, u = 15000 }
-- Nobody wrote for so long: Redis was away, or everybody was. Less than what an `e` is good for by the time between two.
local GAP_MS = 500
-- Of one that is gone for good, no more is believed after so many outages and idle hours.
local EXTENDED_MS_MAX = 60000

local function read_word(said)
  local till, number, low, state, extended = string.match(said, '^(%d+) (%d+) (%-?%d+) (%a) (%d+)$')
  return tonumber(till), tonumber(number), tonumber(low), state, tonumber(extended)
end
local function keep_word(owner, till, number, low, state, extended)
  local text = { whole(till), whole(number), whole(low), state, whole(extended) }
  call('HSET', base .. 'spools', owner, table.concat(text, ' '))
end

-- After an outage, all that were there before it may have spooled something, and have this long to say so. So may one
-- that had died just before, and was started again in it.
local function doubt_spools(since, steady)
  local words = call('HGETALL', base .. 'spools')
  for i = 1, #words, 2 do
    local till, number, low, state, extended = read_word(words[i + 1])
    if extended == 0 then extended = steady end
    if till >= since - HEARD_MS.s and steady - extended < EXTENDED_MS_MAX then
      if state == 'e' then state = 'u' end
      keep_word(words[i], steady + HEARD_MS[state], number, low, state, extended)
    end
  end
end

-- What came at this time or later may have come after what is in somebody's spool. Gives infinity for nothing; and
-- whether it may be in that of anybody but `me`.
local function low_mark(steady, me)
  local low, others = math.huge, 0
  local words = call('HGETALL', base .. 'spools')
  for i = 1, #words, 2 do
    local till, _, from, state = read_word(words[i + 1])
    if till < steady - EXTENDED_MS_MAX then
      call('HDEL', base .. 'spools', words[i])
    elseif till >= steady and state ~= 'e' then
      low = math.min(low, from)
      if words[i] ~= me then others = 1 end
    end
  end
  return low, others
end

-- The same for scripts that may write: what it learns is kept. A clock is read often, so not each time.
local CLOCK_MS = 20
local function keep_clock()
  local wall, steady, last, skew = read_clock()
  local since = steady - math.max(0, wall - last)
  if steady - since > GAP_MS then doubt_spools(since, steady) end
  if wall < last or wall - last >= CLOCK_MS or wall == last and call('HEXISTS', meta, 'last') == 0 then
    call('HSET', meta, 'last', wall, 'skew', skew)
    -- Tokens and wakes begin at the time, so that they go on growing after everything was lost.
    if call('HSETNX', meta, 'gen', whole(wall)) == 1 then
      call('HSETNX', meta, 'fence', whole(wall * 1000))
      call('HSETNX', meta, 'wake', whole(wall * 1000))
      call('HSETNX', meta, 'format', FORMAT)
    end
  end
  return wall, steady
end

local function event_key(seq)
  return base .. 'e:' .. seq
end

-- Where an event stands in its conversation: its seq, but for one that a spool brought and that came before others.
local function place_of(seq)
  return tonumber(call('HGET', event_key(seq), 'place') or seq)
end

local function lane_key(lane)
  return base .. 'l:' .. lane
end

local function conversation_key(conversation)
  return base .. 'c:' .. conversation
end

-- Tells those who wait that there is something to claim. Numbered, so that one that has claimed since knows an old one.
local function wake()
  call('PUBLISH', base .. 'wake', call('HINCRBY', meta, 'wake', 1))
end

-- What an event is to its lane, from its fields: message | command | notice. A version that did not keep it had the
-- name of the lane tell.
local function is_named_control(lane)
  return string.sub(lane, -8) == '!control'
end
local function kind_of(lane, kind, refusal)
  if refusal then return 'notice' end
  return kind or is_named_control(lane) and 'command' or 'message'
end

-- Rings: a node is in the ring of its parent if and only if its own ring is not empty. A tenant's name is written
-- with its length, so that no name from outside can pose as another path.
local function path_of(platform, tenant, sender)
  local path = platform .. ':' .. #tenant .. ':' .. tenant
  return sender and path .. ':' .. sender or path
end

-- Puts a lane at the end of its turn. Its place is that of whoever sent its first event: `from` and `kind`, where they
-- are known already, are the path of that one and what it is.
local function make_ready(lane, seq, from, kind)
  if not from then
    local found = call('HMGET', event_key(seq), 'from', 'kind', 'refusal')
    from, kind = found[1], kind_of(lane, found[2], found[3])
  end
  if kind == 'command' then
    if call('RPUSH', base .. 'urgent', lane) == 1 then wake() end
    return
  end
  if call('RPUSH', base .. 'q:' .. from, lane) > 1 then return end
  local platform, length, names = string.match(from, '^([^:]*):(%d+):(.*)$')
  local tenant, sender = string.sub(names, 1, length), string.sub(names, length + 2)
  if call('RPUSH', base .. 'q:' .. path_of(platform, tenant), sender) > 1 then return end
  if call('RPUSH', base .. 'q:' .. platform, tenant) > 1 then return end
  if call('RPUSH', base .. 'q', platform) == 1 then wake() end
end

-- The lane whose turn it is, or nil: platforms take turns, within each its tenants, senders and lanes.
local function take_turn()
  -- Who had its turn goes to the end of its ring, and leaves it when it has nothing more.
  local function turn(ring)
    return call('LMOVE', ring, ring, 'LEFT', 'RIGHT')
  end
  local all = base .. 'q'
  local platform = turn(all)
  if not platform then return nil end
  local of_platform = base .. 'q:' .. platform
  local tenant = turn(of_platform)
  local of_tenant = base .. 'q:' .. path_of(platform, tenant)
  local sender = turn(of_tenant)
  local of_sender = of_tenant .. ':' .. sender
  local lane = call('LPOP', of_sender)
  for _, ring in ipairs({ { of_sender, of_tenant }, { of_tenant, of_platform }, { of_platform, all } }) do
    if call('EXISTS', ring[1]) == 1 then break end
    call('RPOP', ring[2])
  end
  return lane
end

-- Whether a claim would find something, when that may change by itself (in ms, -1: never), and what it knows of wakes.
local function status(steady)
  local soonest = -1
  for _, key in ipairs({ 'held', 'leases' }) do
    local first = call('ZRANGE', base .. key, 0, 0, 'WITHSCORES')
    if first[2] then
      local wait = math.max(0, math.ceil(tonumber(first[2]) - steady))
      if soonest < 0 or wait < soonest then soonest = wait end
    end
  end
  local is_ready = call('EXISTS', base .. 'urgent', base .. 'q') > 0
  local known = call('HMGET', meta, 'wake', 'gen')
  return { is_ready and 1 or 0, soonest, tonumber(known[1] or '') or 0, known[2] or '' }
end

-- Ends the lease of an event that stays the first of its lane.
local function end_lease(seq, owner)
  call('ZREM', base .. 'leases', seq)
  call('HDEL', event_key(seq), 'token', 'owner')
  if call('HINCRBY', base .. 'owners', owner, -1) <= 0 then call('HDEL', base .. 'owners', owner) end
end

-- The seq and the token that a call came with: whether that claim still holds.
local function holds(seq, token)
  return call('HGET', event_key(seq), 'token') == token
end

-- Never back: what a lost connection brings after the next one has recorded more is old. Failures are counted anew from
-- the first answer on.
local function keep_progress(seq, progress, step, is_first_answer, wall)
  local key = event_key(seq)
  local found = call('HMGET', key, 'step', 'failures')
  if tonumber(found[1] or 0) >= tonumber(step) then return end
  call('HSET', key, 'progress', progress, 'step', step, 'up', wall)
  if is_first_answer ~= '1' or tonumber(found[2] or 0) == 0 then return end
  call('HINCRBY', key, 'forgiven', found[2])
  call('HSET', key, 'failures', 0)
end

-- Whether there is room for one more beside the live ones. Running events are not counted: they are no longer waiting.
local function is_full(lane, lane_max, live, all_max)
  local waiting = call('LLEN', lane_key(lane))
  if waiting >= lane_max then
    local is_running = call('HEXISTS', event_key(call('LINDEX', lane_key(lane), 0)), 'token') == 1
    if not is_running or waiting > lane_max then return true end
  end
  return live >= all_max and live - call('ZCARD', base .. 'leases') >= all_max
end

-- An idempotency key's value: the seq of its event and whether it still bars others.
local function read_key(value, wall)
  if not value then return nil, false end
  local seq, expires = string.match(value, '^(%d+) (%d+)$')
  return seq, tonumber(expires) > wall
end

-- Deletes an event that is over, from the list of its state. Its key stays as long as it bars others, and so much longer that
-- its own time, which is compared, is what counts.
local function delete_one(seq, id, list, wall)
  local key = base .. 'k:' .. id
  local value = call('GET', key)
  local owner, is_live = read_key(value, wall)
  local gone = call('DEL', event_key(seq), base .. 'o:' .. seq)
  call('ZREM', base .. list, seq)
  if owner ~= seq then return gone end
  if is_live then
    local expires = tonumber(string.match(value, '%d+$'))
    call('PEXPIRE', key, math.ceil(expires - wall) + 60000)
    return gone
  end
  return gone + call('DEL', key)
end

-- Whether something of a conversation waits or runs; `n` as found with it.
local function has_live_events(conversation, n)
  return tonumber(n or 0) > 0 or call('EXISTS', lane_key(conversation)) == 1
end

-- Appends an event to its lane; one that opens its lane makes it ready. `before` is a seq to come before, or nil;
-- `from` and `kind` are as for make_ready.
local function enqueue(seq, lane, conversation, is_notice, before, from, kind)
  local key = lane_key(lane)
  local length
  if before then length = call('LINSERT', key, 'BEFORE', before, seq) else length = call('RPUSH', key, seq) end
  call('ZADD', base .. 'live', seq, seq)
  -- It joins `idle` with its first claim, which comes before anything could be swept.
  if not is_notice and lane ~= conversation then call('HINCRBY', conversation_key(conversation), 'n', 1) end
  if length == 1 then make_ready(lane, seq, from, kind) end
end

-- The token and the process that hold a name; nil when nobody does.
local function holder_of(name, steady)
  local held = call('HGET', base .. 'holds', name)
  if not held then return nil end
  local token, till, owner = string.match(held, '^(%d+) (%d+) (.*)$')
  if tonumber(till) > steady then return token, owner end
end

-- Of what is joined to an event, by its field `merged`: their texts, and the bytes of all.
local function joined_texts(merged)
  local texts, bytes = {}, 0
  for seq in string.gmatch(merged or '', '%S+') do
    local text = call('HGET', event_key(seq), 'body')
    texts[#texts + 1] = text
    bytes = bytes + #text
  end
  return texts, bytes
end

-- Whether an event was taken back, by its field `signals`.
local function is_withdrawn(signals)
  local kept = signals and cjson.decode(signals) or {}
  for i = 1, #kept, 2 do
    if kept[i] == 'withdraw' then return true end
  end
  return false
end

local function state_of(seq)
  local found = call('HMGET', event_key(seq), 'state', 'token')
  if found[1] then return found[1] end
  if found[2] then return 'running' end
  if call('ZSCORE', base .. 'parked', seq) then return 'parked' end
  return call('ZSCORE', base .. 'retrying', seq) and 'retrying' or 'queued'
end

-- An event as the journal shows it.
local function record_of(seq)
  local found = call('HMGET', event_key(seq), 'id', 'body', 'attempt', 'cause', 'progress', 'at', 'up', 'replays',
    'into')
  return {
    found[1], state_of(seq), found[2], tonumber(found[3] or 0), found[4] or '', found[5] or '', found[6],
    found[7] or found[6],
    tonumber(seq), found[8] or '', found[9] and call('HGET', event_key(found[9]), 'id') or '',
  }
end

-- Summaries of older turns. Quotes in a text are escaped: these are fields.
local function is_summary(turn)
  return string.find(turn, '"role":"summary"', 1, true) ~= nil
end

-- Whether a summary is of what has this place, too. `covers` as src/domain/run.ts has it.
local function is_covered(place, covers)
  for _, one in ipairs(covers.places) do
    if one == place then return true end
  end
  return place >= covers.from and place < (covers.places[1] or covers.from)
end

-- Whether nothing has changed of what a summary is of since it was made: `countedIn` of src/domain/summary.ts.
local function is_still_of(turns, covers)
  local wanted, number, size = {}, 0, 0
  for _, place in ipairs(covers.places) do wanted[place] = true end
  for _, turn in ipairs(turns) do
    local place, json = string.match(turn, '^(%S+) %S+ (.*)$')
    local is_said = string.find(json, '"role":"assistant"', 1, true) or not string.find(json, '"name":null', 1, true)
    if wanted[tonumber(place)] and is_said and not is_summary(json) then
      number = number + 1
      size = size + #json
    end
  end
  return number == covers.turns and size == covers.size
end

-- Takes summaries out of a memory. `is_gone` is asked of each, with what it covers and its time.
local function drop_summaries(memory, is_gone)
  local turns = base .. 't:' .. memory
  for _, turn in ipairs(call('LRANGE', turns, 0, -1)) do
    if is_summary(turn) then
      local at, json = string.match(turn, '^%S+ (%-?%d+) (.*)$')
      if is_gone(cjson.decode(json).covers, tonumber(at)) then call('LREM', turns, 1, turn) end
    end
  end
end

-- With the turn's `stored`, in front of what was kept.
local function with_place(place, turn)
  if string.sub(turn, 1, 2) ~= '{"' then return turn end
  return '{"stored":[' .. place .. ',' .. #turn .. '],' .. string.sub(turn, 2)
end

-- The newest turns of a conversation, oldest first: at most so many, none from before. Also their bytes.
local function turns_of(conversation, turns_max, since)
  local key = base .. 't:' .. conversation
  local size = math.min(100, turns_max)
  local newest, bytes, last = {}, 0, -1
  while #newest < turns_max do
    local chunk = call('LRANGE', key, last - size + 1, last)
    for i = #chunk, 1, -1 do
      local place, at, turn = string.match(chunk[i], '^(%S+) (%-?%d+) (.*)$')
      if tonumber(at) >= since and #newest < turns_max then
        newest[#newest + 1] = with_place(place, turn)
        bytes = bytes + #turn
      end
    end
    if #chunk < size then break end
    last = last - size
  end
  local oldest_first = {}
  for i = #newest, 1, -1 do oldest_first[#oldest_first + 1] = newest[i] end
  return oldest_first, bytes
end
