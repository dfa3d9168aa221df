#!lua flags=no-writes
-- Events by state, newest first.
-- Invariant: in the order of acceptance or of the last replay, whatever came of them.
-- Looks at so many at most, and gives so many, since nobody else is served meanwhile, and says where to go on.
-- ARGV[2] state, or '' for all  [3] at most  [4] only those with a smaller seq, or ''
-- Gives: { the seq below which there may be more, or '', record, record, … }

local CHUNK = 500
local LOOKS_MAX = 1000
local RECORDS_MAX = 250
local wanted_max = tonumber(ARGV[3])
local limit = math.min(wanted_max, RECORDS_MAX)
local below = ARGV[4] == '' and '+inf' or '(' .. ARGV[4]

local function newest(key, from, count)
  return call('ZRANGE', base .. key, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, count)
end

local function newest_first(a, b)
  return tonumber(a) > tonumber(b)
end

-- Of those that wait or run, the ones of this state, as far as it may look.
local function among_live(state)
  local found = {}
  local from = below
  local looks = 0
  while #found < limit do
    local chunk = newest('live', from, CHUNK)
    for _, seq in ipairs(chunk) do
      if state_of(seq) == state and #found < limit then found[#found + 1] = seq end
    end
    if #chunk < CHUNK then break end
    from = '(' .. chunk[#chunk]
    looks = looks + #chunk
    if looks >= LOOKS_MAX and #found < limit then return found, chunk[#chunk] end
  end
  return found
end

-- Few as a rule: by their leases then, however much waits.
local function running()
  if call('ZCARD', base .. 'leases') > LOOKS_MAX then return among_live('running') end
  local found = {}
  for _, seq in ipairs(call('ZRANGE', base .. 'leases', 0, -1)) do
    if ARGV[4] == '' or tonumber(seq) < tonumber(ARGV[4]) then found[#found + 1] = seq end
  end
  table.sort(found, newest_first)
  return found
end

local function all()
  local found = {}
  for _, key in ipairs({ 'live', 'done', 'dropped', 'dead', 'merged' }) do
    for _, seq in ipairs(newest(key, below, limit)) do found[#found + 1] = seq end
  end
  table.sort(found, newest_first)
  return found
end

local wanted = ARGV[2]
local seqs, more
if wanted == '' then
  seqs = all()
elseif wanted == 'queued' then
  -- Most of what is live does.
  seqs, more = among_live('queued')
elseif wanted == 'running' then
  seqs, more = running()
else
  seqs = newest(wanted, below, limit)
end
local answer = { more or '' }
for i = 1, math.min(limit, #seqs) do answer[i + 1] = record_of(seqs[i]) end
-- More are wanted than one bite has.
if not more and limit < wanted_max and #seqs >= limit then answer[1] = seqs[limit] end
return answer
