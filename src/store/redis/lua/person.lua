-- Settles which conversation a person's messages belong to, whatever names they come with.
-- Invariant: a lasting name leads to one conversation for good; a passing name is of at most one lasting name, the last
-- that it came with.
-- ARGV[2] conversation of the lasting name, or ''  [3] of the passing name, or ''  [4] ms to remember them
--   [5] ms after which what was said under the passing name alone may have been somebody else
-- Gives: the conversation, that of the lasting name or '', that of the passing name or ''

local lasting, passing, keep_ms, adopt_ms = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local function person_key(name) return base .. 'p:' .. name end
local function owner_key(name) return base .. 'w:' .. name end

local function remember(name, passed, conversation)
  call('PEXPIRE', person_key(name), keep_ms)
  if conversation ~= name then call('PEXPIRE', person_key(conversation), keep_ms) end
  if passed ~= '' then call('PEXPIRE', owner_key(passed), keep_ms) end
end

if lasting == '' or passing == '' then
  local owner = lasting ~= '' and lasting or call('GET', owner_key(passing)) or passing
  local known = call('HMGET', person_key(owner), 'conversation', 'passing')
  if not known[1] then return { owner, lasting, passing } end
  remember(owner, known[2], known[1])
  return { known[1], owner, known[2] }
end

local found = call('HMGET', person_key(lasting), 'conversation', 'passing')
local conversation, before = found[1], found[2]
if conversation and before == passing then
  remember(lasting, passing, conversation)
  return { conversation, lasting, passing }
end

local owner = call('GET', owner_key(passing))
local is_somebody_elses = owner and owner ~= lasting
if is_somebody_elses then call('HSET', person_key(owner), 'passing', '') end
if before and before ~= '' then call('DEL', owner_key(before)) end

if not conversation then
  local wall = read_clock()
  local function last_seen(name)
    local seen = call('HMGET', conversation_key(name), 'known', 'n', 'seen')
    if has_live_events(name, seen[2]) then return wall end
    return seen[1] == '1' and tonumber(seen[3]) or -math.huge
  end
  local seen = last_seen(passing)
  is_somebody_elses = is_somebody_elses or call('EXISTS', person_key(passing)) == 1
  local adopts = not is_somebody_elses and wall - seen <= adopt_ms and seen >= last_seen(lasting)
  conversation = adopts and passing or lasting
  -- Whoever comes with this number alone, when it is nobody's any more, begins anew.
  if adopts then call('HSET', person_key(passing), 'conversation', passing .. ':2', 'passing', '') end
end
call('HSET', person_key(lasting), 'conversation', conversation, 'passing', passing)
call('SET', owner_key(passing), lasting)
remember(lasting, passing, conversation)
return { conversation, lasting, passing }
