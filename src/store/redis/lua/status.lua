#!lua flags=no-writes
-- Whether there is something to claim, for who could not hear what others said.
-- Gives: the status, as a claim does

local _, steady = read_clock()
return status(steady)
