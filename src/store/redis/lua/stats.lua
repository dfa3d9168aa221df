#!lua flags=no-writes
-- Counts what is not done.
-- Gives: { live, running, retrying, dead, when the oldest came or '' }

local oldest = call('ZRANGE', base .. 'live', 0, 0)[1]
local times = oldest and call('HMGET', event_key(oldest), 'since', 'at') or {}
return {
  call('ZCARD', base .. 'live'),
  call('ZCARD', base .. 'leases'),
  call('ZCARD', base .. 'retrying'),
  call('ZCARD', base .. 'dead'),
  times[1] or times[2] or '',
}
