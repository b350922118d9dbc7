-- Takes entries out of the outbox whose messages are confirmed: these, and no others.
--
-- keys:
--   1 scope, 2 outbox
-- arguments:
--   entries
-- returns:
--   false when this epoch is not here, else how many were there

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return redis.call('XDEL', KEYS[2], unpack(ARGV))
