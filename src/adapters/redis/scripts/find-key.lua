-- The purchase under a buyer's key.
--
-- keys:
--   1 scope, 2 keys
-- arguments:
--   1 buyer and key as JSON
-- returns:
--   false when this epoch is not here, else the purchase, or "" if there is none

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local found = redis.call('HGET', KEYS[2], ARGV[1])
return found and string.match(found, '^%S+') or ''
