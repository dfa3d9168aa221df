#!lua flags=no-writes
-- Whether what is kept of events fits together, one bite.
--
-- ARGV[2] live | done | dropped | dead | merged  [3] after this seq
-- Gives: { where to go on or -1, events looked at, finding, … }

local BITE = 64
local FINDINGS_MAX = 20
local list = ARGV[2]
local answer = { -1, 0 }

local function find(seq, what)
  if #answer < 2 + FINDINGS_MAX then answer[#answer + 1] = 'event ' .. seq .. ' (' .. list .. '): ' .. what end
end

-- A lane that is not empty waits for exactly one thing.
local function look_at_lane(seq, lane, from)
  local place = call('LPOS', lane_key(lane), seq)
  if not place then return find(seq, 'is not in its lane') end
  if place > 0 then return end
  local is_claimed = call('ZSCORE', base .. 'leases', seq)
  local is_held = call('ZSCORE', base .. 'held', lane)
  local is_ready = call('LPOS', base .. 'urgent', lane) or from and call('LPOS', base .. 'q:' .. from, lane)
  local count = (is_claimed and 1 or 0) + (is_held and 1 or 0) + (is_ready and 1 or 0)
  if count ~= 1 then find(seq, 'its lane waits for ' .. count .. ' things, not for one') end
end

local function look_at(seq)
  local key = event_key(seq)
  local found = call('HMGET', key, 'id', 'body', 'state', 'lane', 'conversation', 'from', 'into', 'progress')
  local id, body, state, lane, conversation, from, into, progress = unpack(found)
  if not id or not body then return find(seq, 'is in a list and has no record') end
  if not pcall(cjson.decode, body) then find(seq, 'its text cannot be read') end
  if progress and not pcall(cjson.decode, progress) then find(seq, 'its progress cannot be read') end
  if (state or 'live') ~= list then find(seq, 'says that it is ' .. (state or 'live')) end
  if not call('GET', base .. 'k:' .. id) then find(seq, 'cannot be found by its id') end
  if list == 'merged' and not (into and call('EXISTS', event_key(into)) == 1) then
    find(seq, 'what it was merged into is gone')
  end
  if list == 'live' then look_at_lane(seq, lane or conversation or '', from) end
end

local seqs = call('ZRANGE', base .. list, '(' .. ARGV[3], '+inf', 'BYSCORE', 'LIMIT', 0, BITE)
for _, seq in ipairs(seqs) do look_at(seq) end
answer[2] = #seqs
if #seqs == BITE then answer[1] = tonumber(seqs[BITE]) end
return answer
