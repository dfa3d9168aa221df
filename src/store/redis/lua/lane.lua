#!lua flags=allow-oom
-- Tells what the first event of a lane is doing, and may ask for an end of it.
-- Invariant: a request to stop stays with its event until that is settled for good; one that waited is claimable at once.
-- ARGV[2] lane  [3] '1': stop it  [4] name of the topic
-- Gives: idle | waiting | running

local seq = call('LINDEX', lane_key(ARGV[2]), 0)
if not seq then return 'idle' end
local is_running = call('HEXISTS', event_key(seq), 'token') == 1
if ARGV[3] == '1' then
  call('HSET', event_key(seq), 'stop', 1)
  if is_running then
    call('PUBLISH', base .. 'bus', ARGV[4] .. '\n' .. ARGV[2])
  elseif call('ZREM', base .. 'held', ARGV[2]) == 1 then
    make_ready(ARGV[2], seq)
  end
end
return is_running and 'running' or 'waiting'
