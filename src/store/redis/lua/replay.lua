-- Brings a finished event back, at the end of its lane.
--
-- Invariant: an event is finished or in its lane, never both; of two replays at once, one finds it waiting. It keeps its
-- id and its keys, so that a redelivery is still a duplicate.
--
-- ARGV[2] id  [3] by whom  [4] resume | anew  [5] the states it may be in, each in commas: ,dead,
-- ARGV[6] most events waiting in a lane  [7] in all  [8] the seq that it must have, or ''
-- Gives: queued | not-finished | changed | wrong-state | unknown | full

local wall = keep_clock()
local id = ARGV[2]
local value = call('GET', base .. 'k:' .. id)
local old = string.match(value or '', '^%d+')
local found = old and call('HMGET', event_key(old), 'id', 'state', 'lane', 'conversation', 'bare', 'cause', 'replays',
  'refusal', 'merged')
if not found or found[1] ~= id then return 'unknown' end
local state, lane, conversation = found[2], found[3], found[4] or found[3]
if not state then return 'not-finished' end
if ARGV[8] ~= '' and ARGV[8] ~= old then return 'changed' end
-- What was refused unheard has kept no text.
if found[5] or not string.find(ARGV[5], ',' .. state .. ',', 1, true) then return 'wrong-state' end
-- A refusal had a lane of its own; what is run now belongs to the conversation.
if found[8] then lane = string.sub(lane, 1, -1 - #'!notice') end
if is_full(lane, tonumber(ARGV[6]), call('ZCARD', base .. 'live'), tonumber(ARGV[7])) then return 'full' end

local seq = whole(call('HINCRBY', meta, 'seq', 1))
call('ZREM', base .. state, old)
call('RENAME', event_key(old), event_key(seq))
if call('EXISTS', base .. 'o:' .. old) == 1 then call('RENAME', base .. 'o:' .. old, base .. 'o:' .. seq) end
call('SET', base .. 'k:' .. id, seq .. string.match(value, ' %d+$'))

local note = cjson.encode({ atMs = wall, by = ARGV[3], mode = ARGV[4], cause = found[6] or cjson.null })
local notes = found[7] and string.sub(found[7], 1, -2) .. ',' or '['
local key = event_key(seq)
call('HDEL', key, 'state', 'cause', 'stop', 'signals', 'given', 'refusal', 'crashes', 'op', 'place', 'agent', 'busy')
-- It came when it was called back: what a spool brings looks for its place from the end of the lane.
call('HSET', key, 'lane', lane, 'came', wall, 'since', wall, 'up', wall, 'attempt', 0, 'failures', 0, 'forgiven', 0,
  'replays', notes .. note .. ']')
if ARGV[4] == 'anew' then
  call('HDEL', key, 'progress')
  call('HINCRBY', key, 'replay', 1)
end
enqueue(seq, lane, conversation, false, nil)

-- What was merged into it comes with it.
local joined = {}
for before in string.gmatch(found[9] or '', '%S+') do
  local now = whole(call('HINCRBY', meta, 'seq', 1))
  joined[#joined + 1] = now
  call('ZREM', base .. 'merged', before)
  call('RENAME', event_key(before), event_key(now))
  local name = base .. 'k:' .. call('HGET', event_key(now), 'id')
  local value = call('GET', name)
  if value then call('SET', name, now .. string.match(value, ' %d+$')) end
  call('HDEL', event_key(now), 'state', 'place', 'agent', 'busy')
  call('HSET', event_key(now), 'came', wall, 'since', wall, 'up', wall, 'into', seq)
  enqueue(now, lane, conversation, false, nil)
end
if #joined > 0 then call('HSET', key, 'merged', table.concat(joined, ' ')) end
return 'queued'
