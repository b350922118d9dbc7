-- Everybody ever accepted in a sale, in order, from a place on.
--
-- keys:
--   1 scope, 2 accepted
-- arguments:
--   1 place, 2 how many at most
-- returns:
--   false when this epoch is not here, else {"buyer purchase", …}, of those that were loaded without the purchase

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return redis.call('LRANGE', KEYS[2], ARGV[1], integer(tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1))
