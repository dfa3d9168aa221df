#!lua flags=no-writes
-- What became of requests, newest first.
-- Invariant: looks at no more notes than asked for of each outcome; whoever wants more goes on from the last id.
-- ARGV[2] outcomes, with commas  [3] at most  [4] only those before this id, or ''  [5] only of this request, or ''
-- Gives: the id of the last one looked at, '' at the end; then the notes, as JSON

local limit = tonumber(ARGV[3])
local from = ARGV[4] == '' and '+' or '(' .. ARGV[4]
local found = {}
for outcome in string.gmatch(ARGV[2], '[^,]+') do
  local newest = call('ZRANGE', base .. 'r:' .. outcome, from, '-', 'BYLEX', 'REV', 'LIMIT', 0, limit)
  for _, note in ipairs(newest) do found[#found + 1] = note end
end
table.sort(found, function(a, b) return a > b end)

local answer = { '' }
for i = 1, math.min(limit, #found) do
  local id, request, body = string.match(found[i], '^([^\n]*)\n([^\n]*)\n(.*)$')
  if i == limit then answer[1] = id end
  if ARGV[5] == '' or request == ARGV[5] then answer[#answer + 1] = body end
end
return answer
