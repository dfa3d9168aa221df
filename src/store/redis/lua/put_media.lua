#!lua
-- Keeps a file of a message. Without allow-oom: a Redis that is short of memory has none for files.
-- Invariant: `media-bytes` is the sum of `media-sizes`, and every file of it is in `media` and has its bytes.
-- ARGV[2] conversation  [3] file, a digest  [4] size  [5] its bytes, in base64  [6] what all files may have  [7] how many
-- Gives: its size, also where it was there before, or -1 where there is no room

local wall = keep_clock()
local conversation, file, size = ARGV[2], ARGV[3], tonumber(ARGV[4])
local member = conversation .. ' ' .. file
local there = call('HGET', base .. 'media-sizes', member)
if there then return tonumber(there) end
local used = tonumber(call('GET', base .. 'media-bytes') or 0)
if used + size > tonumber(ARGV[6]) or call('HLEN', base .. 'media-sizes') >= tonumber(ARGV[7]) then return -1 end
call('HSET', base .. 'm:' .. conversation, file, ARGV[5])
call('HSET', base .. 'media-sizes', member, size)
call('ZADD', base .. 'media', wall, member)
call('INCRBY', base .. 'media-bytes', size)
return size
