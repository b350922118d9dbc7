-- What stands before every script: what several of them need. No keys, no arguments, returns nothing.

local ATTEMPTS_MAX = 100

-- Whole numbers as they are written; Lua would write large ones with an exponent.
local function integer(number) return string.format('%.0f', number) end

local function serverTime(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- {time, available, held, paused, cancelled, starts, ends, reopens, accepted, feed}; `sale` as reserve.lua reads it.
local function viewOf(now, feed, available, held, sale, acceptedKey)
  return {now, available, held, tonumber(sale[9]), tonumber(sale[10]), tonumber(sale[6]), tonumber(sale[7]), tonumber(sale[8]),
    redis.call('LLEN', acceptedKey), tonumber(feed)}
end
