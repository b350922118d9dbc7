-- Sets the epoch's sign, if all that was loaded is here.
--
-- keys:
--   1 scope, then those whose sizes are told
-- arguments:
--   1 the feed's number, then the size of each of the other keys
-- returns:
--   1, or 0 when something is missing

for i = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[i])['ok']
  local size = 0
  if kind == 'hash' then size = redis.call('HLEN', KEYS[i]) end
  if kind == 'list' then size = redis.call('LLEN', KEYS[i]) end
  if size ~= tonumber(ARGV[i]) then return 0 end
end
redis.call('HSET', KEYS[1], 'feed', ARGV[1])
return 1
