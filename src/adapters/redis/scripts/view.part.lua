-- {time, available, held, paused, cancelled, starts, ends, reopens, accepted, feed}; `sale` as reserve.lua reads it.
local function viewOf(now, feed, available, held, sale, acceptedKey)
  return {now, available, held, tonumber(sale[9]), tonumber(sale[10]), tonumber(sale[6]), tonumber(sale[7]), tonumber(sale[8]),
    redis.call('LLEN', acceptedKey), tonumber(feed)}
end
