#!lua flags=allow-oom
-- Lets go of the oldest rows of the audit.
-- Invariant: the place of the last that went is kept, so that what follows can be checked.
-- ARGV[2] up to this seq  [3] its place
-- Gives: how many

local gone = call('ZREMRANGEBYSCORE', base .. 'audit', '-inf', ARGV[2])
call('HSET', base .. 'audit-ends', 'first', ARGV[3])
return gone
