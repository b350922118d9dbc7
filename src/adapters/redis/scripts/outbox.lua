-- Entries of the outbox that are older than so long. Where one is of later than now, the clock was set back: of none the age is
-- known, and all of them are told, for otherwise they would wait until the clock has caught up.
--
-- keys:
--   1 scope, 2 outbox
-- arguments:
--   1 age in ms, 2 how many at most, 3 time in ms or "" for the server's
-- returns:
--   false when this epoch is not here, else {{entry, text}, …}

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local now = serverTime(ARGV[3])
local later = redis.call('XRANGE', KEYS[2], integer(now + 1), '+', 'COUNT', 1)
local before = #later > 0 and '+' or integer(now - tonumber(ARGV[1]))
local found = {}
for i, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', before, 'COUNT', ARGV[2])) do found[i] = {entry[1], entry[2][2]} end
return found
