#!lua flags=no-writes
-- What the vault keeps, by name.
-- ARGV[2] from: as in ZRANGEBYLEX  [3] how their names begin  [4] how many
-- Gives: { { name, value }, … }

local found = {}
local names = call('ZRANGEBYLEX', base .. 'vault-names', ARGV[2], '(' .. ARGV[3] .. '\255', 'LIMIT', 0, ARGV[4])
for i, name in ipairs(names) do
  found[i] = { name, call('HGET', base .. 'vault', name) or '' }
end
return found
