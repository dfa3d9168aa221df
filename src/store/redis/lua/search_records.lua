#!lua flags=no-writes
-- What is kept that holds one of some words, one bite: see Records in src/ports/records.ts.
-- ARGV[2] shelf  [3] which part of it: live | done | … of events, outcome of requests, p | w of people  [4] where to go on, '' at
--   first  [5…] words
-- Gives: { where to go on or '', { key, text, second text or false, over 1 or 0, conversation or false, place or false }, … }

local BITE = 128
local shelf, part, after = ARGV[2], ARGV[3], ARGV[4]
local answer = { '' }

local function holds_word(text)
  for i = 5, #ARGV do
    if string.find(text, ARGV[i], 1, true) then return true end
  end
  return false
end

local function keep(...)
  answer[#answer + 1] = { ... }
end

local function events()
  local seqs = call('ZRANGE', base .. part, after == '' and '-inf' or '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, BITE)
  for _, seq in ipairs(seqs) do
    local body, progress = unpack(call('HMGET', event_key(seq), 'body', 'progress'))
    if body and (holds_word(body) or progress and holds_word(progress)) then
      keep(seq, body, progress, part == 'live' and 0 or 1, false, false)
    end
  end
  if #seqs == BITE then answer[1] = seqs[#seqs] end
end

local function scan(command, key, visit)
  local from = after == '' and '0' or after
  local found = key and call(command, key, from, 'COUNT', BITE) or call('SCAN', from, 'MATCH', part, 'COUNT', 4 * BITE)
  visit(found[2])
  if found[1] ~= '0' then answer[1] = found[1] end
end

local function conversations(visit)
  scan('ZSCAN', base .. 'idle', function(found)
    for i = 1, #found, 2 do visit(found[i]) end
  end)
end

local function turns(conversation)
  local is_wanted = holds_word(conversation)
  for _, entry in ipairs(call('LRANGE', base .. 't:' .. conversation, 0, -1)) do
    if is_wanted or holds_word(entry) then
      local place, at, turn = string.match(entry, '^(%S+) (%S+) (.*)$')
      keep(place .. ' ' .. at, turn, false, 1, conversation, place)
    end
  end
end

-- Texts by name.
local function hash(key)
  scan('HSCAN', key, function(found)
    for i = 1, #found, 2 do
      if holds_word(found[i]) or holds_word(found[i + 1]) then keep(found[i], found[i + 1], false, 1, false, false) end
    end
  end)
end

local function names()
  scan('SCAN', nil, function(keys)
    for _, key in ipairs(keys) do
      local name = string.sub(key, #base + 1)
      local value = ''
      if part == base .. 'p:*' then value = table.concat(call('HVALS', key), ' ') end
      if part == base .. 'w:*' then value = call('GET', key) or '' end
      if holds_word(name) or holds_word(value) then keep(name, '', false, 1, false, false) end
    end
  end)
end

local function spending()
  scan('SCAN', nil, function(keys)
    for _, key in ipairs(keys) do
      for _, field in ipairs(call('HKEYS', key)) do
        if holds_word(field) then keep(string.sub(key, #base + 1) .. ' ' .. field, '', false, 1, false, false) end
      end
    end
  end)
end

-- Of each day a hash, which may be long: where to go on is how far its days are found, those that are, and how far the first is read.
-- What was settled counts on nobody any more.
local function held()
  local from, days, at = string.match(after, '^(%S+) (%S*) (%S+)$')
  if not from then from, days, at = '0', '', '0' end
  if days == '' then
    local found = call('SCAN', from, 'MATCH', base .. 'money-held:*', 'COUNT', 4 * BITE)
    from, at = found[1], '0'
    for i, key in ipairs(found[2]) do found[2][i] = string.sub(key, #base + 1) end
    days = table.concat(found[2], ',')
  end
  local day = string.match(days, '^[^,]+')
  if day then
    local found = call('HSCAN', base .. day, at, 'COUNT', BITE)
    at = found[1]
    for i = 1, #found[2], 2 do
      local id, hold = found[2][i], found[2][i + 1]
      if holds_word(hold) then keep(day .. ' ' .. id, hold, false, 1, false, false) end
    end
    if at == '0' then days = string.sub(days, #day + 2) end
  end
  if from ~= '0' or days ~= '' then answer[1] = from .. ' ' .. days .. ' ' .. at end
end

local function requests()
  scan('ZSCAN', base .. 'r:' .. part, function(found)
    for i = 1, #found, 2 do
      if holds_word(found[i]) then
        local name, note = string.match(found[i], '^([^\n]*\n[^\n]*)\n(.*)$')
        keep(part .. ' ' .. name, note, false, 1, false, false)
      end
    end
  end)
end

if shelf == 'events' then events() end
if shelf == 'turns' then conversations(turns) end
if shelf == 'vault' then hash(base .. 'vault') end
if shelf == 'notes' then hash(base .. 'notes') end
if shelf == 'requests' then requests() end
if shelf == 'spending' then
  part = base .. 'money:*'
  spending()
end
if shelf == 'held' then held() end
if shelf == 'limits' then
  scan('HSCAN', base .. 'limits', function(found)
    for i = 1, #found, 2 do
      if holds_word(found[i]) then keep(found[i], '', false, 1, false, false) end
    end
  end)
end
if shelf == 'people' or shelf == 'told' then
  part = base .. part .. ':*'
  names()
end
if shelf == 'conversations' then
  conversations(function(name)
    if holds_word(name) then keep(name, '', false, 1, false, false) end
  end)
end
return answer
