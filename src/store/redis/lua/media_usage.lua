#!lua flags=no-writes
-- Gives: { how many files, their bytes }

return { call('HLEN', base .. 'media-sizes'), tonumber(call('GET', base .. 'media-bytes') or 0) }
