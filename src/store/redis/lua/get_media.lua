#!lua flags=no-writes
-- A file of a message.
-- ARGV[2] conversation  [3] file
-- Gives: { its size, its bytes in base64 }, or {}

local size = call('HGET', base .. 'media-sizes', ARGV[2] .. ' ' .. ARGV[3])
if not size then return {} end
return { tonumber(size), call('HGET', base .. 'm:' .. ARGV[2], ARGV[3]) }
