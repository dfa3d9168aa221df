#!lua flags=no-writes
-- What a holder has noted.
-- ARGV[2] name
-- Gives: { value }, or {}

return { call('HGET', base .. 'notes', ARGV[2]) or nil }
