#!lua flags=no-writes
-- The newest turns of a conversation, oldest first.
-- Invariant: at most as many as asked for, none from before the time given.
-- ARGV[2] conversation  [3] most turns  [4] since, in ms
-- Gives: the turns, as JSON

local turns = turns_of(ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]))
return turns
