-- Tells the cache what it cannot know: how many units are paid, withdrawn and issued.
--
-- keys:
--   1 scope, 2 sale
-- arguments:
--   1 sold, 2 withdrawn, 3 issued
-- returns:
--   false when this epoch is not here, else 1

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'sold', ARGV[1], 'withdrawn', ARGV[2], 'issued', ARGV[3])
end
return 1
