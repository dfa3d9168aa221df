#!lua flags=allow-oom
-- Takes one message back: see Memory.withdraw in src/ports/memory.ts.
--
-- Invariant: no turn of that event is there, and none will be: it has ended, or has the signal with which it is not
-- remembered. The same call made twice, because its answer was lost, is one.
--
-- ARGV[2] id of the event  [3] key of the signal  [4] the signal as JSON  [5] name of the topic  [6] how a turn of that event says
--   so  [7] what stands in the place of an answer to others, too
-- Gives: unknown | live | over

local seq = string.match(call('GET', base .. 'k:' .. ARGV[2]) or '', '^%d+')
if not seq then return 'unknown' end
local key = event_key(seq)
local id, state, token, signals, lane, conversation, into =
  unpack(call('HMGET', key, 'id', 'state', 'token', 'signals', 'lane', 'conversation', 'into'))
if id ~= ARGV[2] then return 'unknown' end

if state then
  -- Turns are those of the event that it was answered with.
  local head = state == 'merged' and into or seq
  local place, memory = unpack(call('HMGET', event_key(head), 'place', 'memory'))
  place = place or head
  local turns = base .. 't:' .. (memory or conversation or lane)
  local together, are_others = {}, false
  for _, turn in ipairs(call('LRANGE', turns, 0, -1)) do
    if string.match(turn, '^%S+') == place then
      together[#together + 1] = turn
      -- Quotes in a text are escaped: this is the field.
      local is_known = string.find(turn, '"event":"', 1, true)
      if is_known and not string.find(turn, ARGV[6], 1, true) then are_others = true end
    end
  end
  drop_summaries(memory or conversation or lane, function(covers) return is_covered(tonumber(place), covers) end)
  -- What others said stays, and that they were answered.
  for _, turn in ipairs(together) do
    if not are_others or string.find(turn, ARGV[6], 1, true) then
      call('LREM', turns, 1, turn)
    elseif string.find(turn, '"role":"assistant"', 1, true) then
      local at, text = string.match(turn, '^(%S+ %S+) (.*)$')
      local said = cjson.decode(text)
      said.text = ARGV[7]
      call('LSET', turns, call('LPOS', turns, turn), at .. ' ' .. cjson.encode(said))
    end
  end
  return 'over'
end

if not is_withdrawn(signals) then
  local kept = signals and cjson.decode(signals) or {}
  kept[#kept + 1] = ARGV[3]
  kept[#kept + 1] = ARGV[4]
  call('HSET', key, 'signals', cjson.encode(kept))
end
if call('LINDEX', lane_key(lane), 0) ~= seq then return 'live' end
if token then
  call('PUBLISH', base .. 'bus', ARGV[5] .. '\n[' .. cjson.encode(lane) .. ',' .. ARGV[4] .. ']')
  return 'live'
end
call('ZREM', base .. 'parked', seq)
if call('ZREM', base .. 'held', lane) == 1 then make_ready(lane, seq) end
return 'live'
