#!lua flags=allow-oom
-- Tells the format of what is kept here.
-- Invariant: it is written once, with the first call of all.
-- Gives: the format

keep_clock()
return tonumber(call('HGET', meta, 'format'))
