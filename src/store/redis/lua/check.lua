-- Writes, so that it is refused when an event would be: no memory, a replica, a disk that takes nothing.
-- Gives: 1

local wall = keep_clock()
call('HSET', meta, 'checked', wall)
return 1
