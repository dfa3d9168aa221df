#!lua flags=allow-oom
-- Takes what waits right behind an event and may be merged with it: see Queue.join in src/ports/queue.ts.
--
-- Invariant: only the holder of the lease joins; what is joined stays right behind its event, in order, and ends with it.
-- The same call made twice, because its answer was lost, is one.
--
-- ARGV[2] seq  [3] token  [4] most events  [5] most bytes of their texts  [6] ms in which one may still grow
-- Gives: the texts of all that are joined, oldest first

local NO_FILES = '"attachments":[]}'
local MERGING = { collect = true, interrupt = true, steer = true }

local wall = keep_clock()
local seq = ARGV[2]
if not holds(seq, ARGV[3]) then return {} end
local key = event_key(seq)
local lane, from, agent, kind, refusal, merged, conversation =
  unpack(call('HMGET', key, 'lane', 'from', 'agent', 'kind', 'refusal', 'merged', 'conversation'))
local texts, bytes = joined_texts(merged)
if not agent or kind_of(lane, kind, refusal) ~= 'message' then return texts end

-- Of one person for one agent: what one asks for is done in the name of who asks, and at their cost.
local function is_alike(found)
  return found[1] == from and found[2] == agent and MERGING[found[3]] and found[7] == conversation
    and not is_withdrawn(found[9])
    and kind_of(lane, found[4], found[5]) == 'message'
end

local function may_grow(text, at)
  return wall - tonumber(at) < tonumber(ARGV[6]) and string.sub(text, -#NO_FILES) == NO_FILES
    and string.find(text, '"mayGrow":true', 1, true)
end

local joined = { merged or nil }
for _, behind in ipairs(call('LRANGE', lane_key(lane), 1 + #texts, ARGV[4])) do
  local found = call('HMGET', event_key(behind), 'from', 'agent', 'busy', 'kind', 'refusal', 'body', 'conversation', 'at',
    'signals')
  local text = found[6]
  bytes = bytes + #text
  if not is_alike(found) or bytes > tonumber(ARGV[5]) or may_grow(text, found[8]) then break end
  call('HSET', event_key(behind), 'into', seq)
  joined[#joined + 1] = behind
  texts[#texts + 1] = text
end
if #joined > 0 then call('HSET', key, 'merged', table.concat(joined, ' ')) end
return texts
