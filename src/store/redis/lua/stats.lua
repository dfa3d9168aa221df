#!lua flags=no-writes
-- Counts what is not done.
-- Gives: { live, running, retrying, dead, when the oldest came or '' }

local oldest = call('ZRANGE', base .. 'live', 0, 0)[1]
return {
  call('ZCARD', base .. 'live'),
  call('ZCARD', base .. 'leases'),
  call('ZCARD', base .. 'retrying'),
  call('ZCARD', base .. 'dead'),
  oldest and call('HGET', event_key(oldest), 'since') or '',
}
