-- The cache's copy of a sale, as far as refusals need it.
--
-- keys:
--   1 scope, 2 sale, 3 accepted
-- arguments:
--   1 time in ms or "" for the server's
-- returns:
--   false when this epoch is not here, "absent" when the sale is not part of it, else {time, available, held, paused, cancelled, starts, ends, reopens, accepted, feed}

local feed = redis.call('HGET', KEYS[1], 'feed')
local sale = feed and redis.call('HMGET', KEYS[2], 'available', 'issued', 'withdrawn', 'sold', 'limit', 'starts', 'ends',
  'reopens', 'paused', 'cancelled')
if not feed then return false end
if not sale[1] then return 'absent' end
local available = tonumber(sale[1])
local held = math.max(0, tonumber(sale[2]) - tonumber(sale[3]) - tonumber(sale[4]) - available)
return viewOf(serverTime(ARGV[1]), feed, available, held, sale, KEYS[3])
