#!lua flags=allow-oom
-- Notes what whoever does this next has to know.
-- Invariant: nobody but the live holder writes.
-- ARGV[2] name of the note  [3] value  [4] name of the hold  [5] its token
-- Gives: 1, or 0 when the hold has ended

local _, steady = keep_clock()
if holder_of(ARGV[4], steady) ~= ARGV[5] then return 0 end
call('HSET', base .. 'notes', ARGV[2], ARGV[3])
return 1
