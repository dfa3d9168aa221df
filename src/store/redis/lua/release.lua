#!lua flags=allow-oom
-- Takes back claims of a process: when it closes, when another starts under its name, and when the answer to one of
-- its claims was lost on the way.
--
-- Invariant: an event stays the first of its lane. A death with few events in hand makes each of them a suspect; a
-- claim that nobody got is not counted.
--
-- ARGV[2] whose  [3] closed | died | lost  [4] suspects at most; then, for `lost`, the tokens that are in good hands
-- Gives: how many

keep_clock()
local owner, why = ARGV[2], ARGV[3]
local good = {}
for i = 5, #ARGV do good[ARGV[i]] = true end

-- Nobody else is served meanwhile: it looks no further than it has to, and not at all for a process that holds nothing.
local CHUNK = 500
local left = tonumber(call('HGET', base .. 'owners', owner) or '') or 0
local mine = {}
local from = 0
while left > 0 do
  local chunk = call('ZRANGE', base .. 'leases', from, from + CHUNK - 1)
  for _, seq in ipairs(chunk) do
    local found = call('HMGET', event_key(seq), 'owner', 'token', 'lane')
    if found[1] == owner then
      left = left - 1
      if not good[found[2]] then mine[#mine + 1] = { seq, found[3] } end
      if left == 0 then break end
    end
  end
  if #chunk < CHUNK then break end
  from = from + CHUNK
end
for _, lease in ipairs(mine) do
  local seq, lane = lease[1], lease[2]
  if why == 'died' and #mine <= tonumber(ARGV[4]) then call('HINCRBY', event_key(seq), 'crashes', 1) end
  if why == 'lost' then call('HINCRBY', event_key(seq), 'attempt', -1) end
  end_lease(seq, owner)
  make_ready(lane, seq)
end
-- Nobody has to wait for what a closed process might have kept when it kept nothing.
local word = why == 'closed' and call('HGET', base .. 'spools', owner)
if word then
  local _, _, _, state = read_word(word)
  if state ~= 's' then call('HDEL', base .. 'spools', owner) end
end
return #mine
