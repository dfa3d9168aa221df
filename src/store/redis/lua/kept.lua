#!lua flags=no-writes
-- What the vault keeps under a name.
-- ARGV[2] name
-- Gives: { value }, or {}

return { call('HGET', base .. 'vault', ARGV[2]) or nil }
