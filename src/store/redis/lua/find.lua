#!lua flags=no-writes
-- One event by its id.
-- Invariant: the key of an event's id stays as long as the event; an alias finds nothing.
-- ARGV[2] id
-- Gives: {} or { record }, see record_of

local seq = string.match(call('GET', base .. 'k:' .. ARGV[2]) or '', '^%d+')
if not seq or call('HGET', event_key(seq), 'id') ~= ARGV[2] then return {} end
return { record_of(seq) }
