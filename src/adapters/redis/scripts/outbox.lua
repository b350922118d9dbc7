-- Entries of the outbox that are older than so long.
--
-- keys:
--   1 scope, 2 outbox
-- arguments:
--   1 age in ms, 2 how many at most, 3 time in ms or "" for the server's
-- returns:
--   false when this epoch is not here, else {{entry, text}, …}

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local before = serverTime(ARGV[3]) - tonumber(ARGV[1])
local found = {}
for i, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', integer(before), 'COUNT', ARGV[2])) do found[i] = {entry[1], entry[2][2]} end
return found
