#!lua flags=no-writes
-- Events by state, newest first.
-- Invariant: in the order of acceptance or of the last replay, whatever came of them.
-- ARGV[2] state, or '' for all  [3] at most  [4] only those with a smaller seq, or ''
-- Gives: records

local CHUNK = 500
local limit = tonumber(ARGV[3])
local below = ARGV[4] == '' and '+inf' or '(' .. ARGV[4]

local function newest(key, from, count)
  return call('ZRANGE', base .. key, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, count)
end

local function newest_first(a, b)
  return tonumber(a) > tonumber(b)
end

local function running()
  local found = {}
  for _, seq in ipairs(call('ZRANGE', base .. 'leases', 0, -1)) do
    if ARGV[4] == '' or tonumber(seq) < tonumber(ARGV[4]) then found[#found + 1] = seq end
  end
  table.sort(found, newest_first)
  return found
end

-- Of those that wait or run, the ones that wait for their first attempt. Most do.
local function queued()
  local found = {}
  local from = below
  while #found < limit do
    local chunk = newest('live', from, CHUNK)
    for _, seq in ipairs(chunk) do
      if state_of(seq) == 'queued' and #found < limit then found[#found + 1] = seq end
    end
    if #chunk < CHUNK then break end
    from = '(' .. chunk[#chunk]
  end
  return found
end

local function all()
  local found = {}
  for _, key in ipairs({ 'live', 'done', 'dropped', 'dead' }) do
    for _, seq in ipairs(newest(key, below, limit)) do found[#found + 1] = seq end
  end
  table.sort(found, newest_first)
  return found
end

local wanted = ARGV[2]
local seqs
if wanted == '' then
  seqs = all()
elseif wanted == 'queued' then
  seqs = queued()
elseif wanted == 'running' then
  seqs = running()
else
  seqs = newest(wanted, below, limit)
end
local records = {}
for i = 1, math.min(limit, #seqs) do records[i] = record_of(seqs[i]) end
return records
