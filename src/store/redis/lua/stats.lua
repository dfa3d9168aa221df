#!lua flags=no-writes
-- Counts what is not done.
-- Gives: { live, running, retrying, dead, when the oldest came or '', parked }

-- What is parked, and what is behind it, waits for a person. It looks past so many of them at most.
local LOOKS_MAX = 1000
local parked = call('ZCARD', base .. 'parked')
local function oldest_at_work()
  if parked == 0 then return call('ZRANGE', base .. 'live', 0, 0)[1] end
  for _, seq in ipairs(call('ZRANGE', base .. 'live', 0, LOOKS_MAX - 1)) do
    local lane = call('HGET', event_key(seq), 'lane')
    local first = lane and call('LINDEX', lane_key(lane), 0)
    if first and not call('ZSCORE', base .. 'parked', first) then return seq end
  end
  return nil
end
local oldest = oldest_at_work()
local times = oldest and call('HMGET', event_key(oldest), 'since', 'at') or {}
return {
  call('ZCARD', base .. 'live'),
  call('ZCARD', base .. 'leases'),
  call('ZCARD', base .. 'retrying'),
  call('ZCARD', base .. 'dead'),
  times[1] or times[2] or '',
  parked,
}
