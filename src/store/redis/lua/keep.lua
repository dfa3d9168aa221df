#!lua flags=allow-oom
-- Keeps something in the vault, or removes it.
-- Invariant: every name of `vault` is in `vault-names`, and no other.
-- ARGV[2] put | remove  [3] name  [4] value  [5] none | was: only if that is kept; absent: whatever it is  [6] what it was
-- Gives: 1, or 0 when nothing changed, because something else is kept, or nothing is there to remove

local act, name, value = ARGV[2], ARGV[3], ARGV[4]
local now = call('HGET', base .. 'vault', name)
local is_expected = not ARGV[5] or (ARGV[5] == 'none' and not now) or (ARGV[5] == 'was' and now == ARGV[6])
-- The same again: the answer to the first was lost.
if act == 'put' and now == value then is_expected = true end
if not is_expected or (act == 'remove' and not now) then return 0 end
if act == 'put' then
  call('HSET', base .. 'vault', name, value)
  call('ZADD', base .. 'vault-names', 0, name)
else
  call('HDEL', base .. 'vault', name)
  call('ZREM', base .. 'vault-names', name)
end
return 1
