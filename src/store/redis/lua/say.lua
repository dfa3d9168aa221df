#!lua flags=allow-oom
-- Word to all processes. A script, so that in a Cluster all words go through one node and keep their order.
-- ARGV[2] topic  [3] message

call('PUBLISH', base .. 'bus', ARGV[2] .. '\n' .. ARGV[3])
return 1
