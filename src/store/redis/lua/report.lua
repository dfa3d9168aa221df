#!lua flags=allow-oom
-- Hears what a process says of its spool: before it acknowledges what it has put there, and then again and again.
--
-- Invariant: what came to Redis after somebody was told that a spool keeps his event does not begin before that is here,
-- as long as the process lives. A word that was late on its way is no proof that a spool is empty now.
--
-- ARGV[2] owner  [3] a number that grows with each word, 1: the first  [4] what came before this is here, by its clock
-- ARGV[5] 1: it holds something  [6] when it was sent, by the steady time of the last answer and its clock since, or ''
-- Gives: { steady time, 1: it was taken, 1: another may hold something }

local LATE_MS = 500

local _, steady = keep_clock()
local owner, number, sent = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[6])

local function is_taken()
  local known = call('HGET', base .. 'spools', owner)
  if known and number > 1 then
    local _, last = read_word(known)
    if number <= last then return 0 end
  end
  local state = 's'
  if ARGV[5] ~= '1' then
    if sent and steady - sent > LATE_MS then return 0 end
    state = sent and 'e' or 'u'
  end
  keep_word(owner, steady + HEARD_MS[state], number, tonumber(ARGV[4]), state, 0)
  return 1
end

local taken = is_taken()
local _, others = low_mark(steady, owner)
return { steady, taken, others }
