#!lua flags=allow-oom
-- Records what a run has achieved.
--
-- Invariant: only the holder of the lease changes the progress of an event, and never back: what a lost connection
-- brings after the next one has recorded more is old.
--
-- ARGV[2] seq  [3] token  [4] progress as JSON  [5] a number that grows with each call of the holder
-- ARGV[6] 1: with it the event has an answer for the first time
-- Gives: 1, or 0 when the lease is lost

local wall = keep_clock()
if not holds(ARGV[2], ARGV[3]) then return 0 end
keep_progress(ARGV[2], ARGV[4], ARGV[5], ARGV[6], wall)
return 1
