-- Applies a row of the ledger's feed if it is the next one.
--
-- keys:
--   1 scope, 2 units, 3 sale, 4 keys
-- arguments:
--   1 number of the row, 2 units that can be had again, 3 how long nobody new is accepted once a mark is cleared, 4 paused: "1",
--   "0" or "" for as it is, 5 end in ms or "", 6 "1" if the sale was cancelled, 7 time in ms or "" for the server's, 8 how many
--   buyers, then of each: buyer and change of its units, then of each key that may be used again: its name and its purchase
-- returns:
--   false when this epoch is not here, else the number at which the cache stands

local feed = redis.call('HGET', KEYS[1], 'feed')
if not feed then return false end
if tonumber(ARGV[1]) ~= tonumber(feed) + 1 then return tonumber(feed) end
redis.call('HSET', KEYS[1], 'feed', ARGV[1])
local keysFrom = 9 + 2 * tonumber(ARGV[8])
for i = 9, keysFrom - 1, 2 do redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1]) end
for i = keysFrom, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[4], ARGV[i])
  if known and string.match(known, '^%S+') == ARGV[i + 1] then redis.call('HDEL', KEYS[4], ARGV[i]) end
end

local sale = redis.call('HMGET', KEYS[3], 'available', 'starts', 'ends', 'paused', 'cancelled')
-- A sale that was over when the epoch was loaded.
if not sale[1] then return tonumber(ARGV[1]) end

-- Whether nobody new can be accepted at a moment, other than because the sale has not begun.
local function marked(available, starts, ends, paused, cancelled, now)
  if cancelled == '1' or now >= ends then return true end
  if now < starts then return false end
  return paused == '1' or available == 0
end
local now = serverTime(ARGV[7])
local delay = tonumber(ARGV[3])

local before = {tonumber(sale[1]), tonumber(sale[2]), tonumber(sale[3]), sale[4], sale[5]}
local after = {before[1] + tonumber(ARGV[2]), before[2], before[3], before[4], before[5]}
if ARGV[4] ~= '' then after[4] = ARGV[4] end
if ARGV[5] ~= '' then after[3] = tonumber(ARGV[5]) end
if ARGV[6] == '1' then after[5] = '1' end
redis.call('HSET', KEYS[3], 'available', integer(after[1]), 'ends', integer(after[3]), 'paused', after[4], 'cancelled', after[5])
-- Each moment by itself: that a sale ends soon says nothing of what is refused of it now.
local function clears(at)
  return marked(before[1], before[2], before[3], before[4], before[5], at) and not marked(after[1], after[2], after[3], after[4], after[5], at)
end
if clears(now) or clears(now + delay) then
  redis.call('HSET', KEYS[3], 'reopens', integer(now + delay))
end
return tonumber(ARGV[1])
