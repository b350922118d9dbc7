-- Decides takes of one sale in their order, as domain/purchase.ts does, and keeps a record of each accepted one and an entry
-- of the outbox for all of them.
--
-- keys:
--   1 scope     hash: feed. Its being there is the epoch's sign
--   2 units     hash: buyer -> units that count against its limit, over the scope
--   3 records   hash: purchase -> entry, sale and line
--   4 outbox    stream: messages that are not known to be confirmed
--   5 sale      hash: balances, terms and switches of the sale
--   6 attempts  hash: buyer -> purchases ever made
--   7 quotas    hash: buyer -> limit of its own
--   8 keys      hash: buyer and key -> purchase and fingerprint
--   9 accepted  list: everybody ever accepted
-- arguments:
--   1 sale, 2 time in ms or "" for the server's, 3 "1" for lines of a cache that is gone, 4 scope, 5 epoch, then of each line:
--   purchase, buyer, key as JSON, fingerprint, quantity, metadata as JSON, time of acceptance or ""
-- returns:
--   false when this epoch is not here, "absent" when the sale is not part of it, else {view, entry, text, outbox, outcomes, price,
--   currency}; view as in view.part.lua; entry and text are of the message in which the accepted lines stand in their order, ""
--   without any; an outcome is the limit of a line accepted now, {"a", limit, time} of one accepted before,
--   {"k", purchase, record, entry, text} or {"r", reason, number, number}

local ATTEMPTS_MAX = 100

local feed = redis.call('HGET', KEYS[1], 'feed')
local sale = feed and redis.call('HMGET', KEYS[5], 'available', 'issued', 'withdrawn', 'sold', 'limit', 'starts', 'ends',
  'reopens', 'paused', 'cancelled', 'quotas', 'minor', 'currency')
if not feed then return false end
if not sale[1] then return 'absent' end

local available = tonumber(sale[1])
local issued, withdrawn, sold = tonumber(sale[2]), tonumber(sale[3]), tonumber(sale[4])
local defaultLimit = tonumber(sale[5])
local starts, ends, reopens = tonumber(sale[6]), tonumber(sale[7]), tonumber(sale[8])
local paused, cancelled, hasQuotas = sale[9] == '1', sale[10] == '1', sale[11] == '1'
local readmit = ARGV[3] == '1'
local now = serverTime(ARGV[2])
local nowText = integer(now)

local width = 7
local first = 6
local lines = (#ARGV - first + 1) / width
local function at(line, field) return ARGV[first + (line - 1) * width + field] end

-- Everything that lines may need is read at once: a call for each would cost more than the decisions.
local buyers, order = {}, {}
local ids, keyNames, keyLines = {}, {}, {}
for line = 1, lines do
  local buyer, key = at(line, 1), at(line, 2)
  ids[line] = at(line, 0)
  if not buyers[buyer] then
    order[#order + 1] = buyer
    buyers[buyer] = {}
  end
  if key ~= 'null' then
    keyNames[#keyNames + 1] = buyer .. ' ' .. key
    keyLines[line] = keyNames[#keyNames]
  end
end
local units = redis.call('HMGET', KEYS[2], unpack(order))
local attempts = redis.call('HMGET', KEYS[6], unpack(order))
local quotas = hasQuotas and redis.call('HMGET', KEYS[7], unpack(order)) or {}
for i, buyer in ipairs(order) do
  buyers[buyer] = {
    units = tonumber(units[i] or 0),
    attempts = tonumber(attempts[i] or 0),
    limit = tonumber(quotas[i] or defaultLimit),
  }
end
local records = {}
for i, record in ipairs(redis.call('HMGET', KEYS[3], unpack(ids))) do records[ids[i]] = record end
local keys = {}
if #keyNames > 0 then
  for i, value in ipairs(redis.call('HMGET', KEYS[8], unpack(keyNames))) do keys[keyNames[i]] = value end
end

local function held() return math.max(0, issued - withdrawn - sold - available) end
local function byStock(shortOf)
  if shortOf or held() > 0 then return {'r', 'all_taken', held(), available} end
  return {'r', 'sold_out', available, 0}
end
local function refusal(buyer, quantity)
  if not readmit then
    if cancelled then return {'r', 'sale_cancelled', 0, 0} end
    if now >= ends then return {'r', 'ended', ends, 0} end
    if now < starts then return {'r', 'not_started', starts, now} end
    if paused then return {'r', 'paused', 0, 0} end
  end
  if buyer.units + quantity > buyer.limit then return {'r', 'limit_reached', buyer.limit, buyer.units} end
  if not readmit and buyer.attempts >= ATTEMPTS_MAX then return {'r', 'attempts_exhausted', ATTEMPTS_MAX, 0} end
  if not readmit and now < reopens then return byStock(true) end
  if available < quantity then return byStock(false) end
  return nil
end

-- What was accepted so far: positions of lines, and what is to be written.
local taken, newKeys, newAccepted, touched = {}, {}, {}, {}
local outcomes, wires = {}, {}

-- A known purchase with its record and, while its message is not known to be confirmed, that message.
local function known(id)
  local record = records[id]
  if record == nil then record = redis.call('HGET', KEYS[3], id) end
  if not record then return {'k', id, '', '', ''} end
  local entry = string.match(record, '^%S+')
  local found = redis.call('XRANGE', KEYS[4], entry, entry)
  if #found == 0 then return {'k', id, record, '', ''} end
  return {'k', id, record, entry, found[1][2][2]}
end

local pending = {}
local function decide(line)
  local id = ids[line]
  if taken[id] then
    pending[#pending + 1] = {line, id}
    return false
  end
  if records[id] then return known(id) end
  local keyName = keyLines[line]
  local meets = keyName and keys[keyName]
  if meets then
    local other, fingerprint = string.match(meets, '^(%S+) (%S+)$')
    if fingerprint ~= at(line, 3) then return {'r', 'key_reused', 0, 0} end
    if taken[other] then
      pending[#pending + 1] = {line, other}
      return false
    end
    return known(other)
  end
  local buyerName = at(line, 1)
  local buyer = buyers[buyerName]
  local quantity = tonumber(at(line, 4))
  local refused = refusal(buyer, quantity)
  if refused then return refused end
  available = available - quantity
  buyer.units = buyer.units + quantity
  buyer.attempts = buyer.attempts + 1
  touched[buyerName] = buyer
  taken[id] = line
  local acceptedBefore = at(line, 6)
  local acceptedAt = acceptedBefore == '' and nowText or acceptedBefore
  wires[#wires + 1] = {id, '["' .. id .. '",' .. buyerName .. ',' .. at(line, 2) .. ',' .. at(line, 4) .. ',' .. sale[12] .. ',"' ..
    sale[13] .. '",' .. integer(buyer.limit) .. ',' .. acceptedAt .. ',' .. at(line, 5) .. ']'}
  if keyName then
    keys[keyName] = id .. ' ' .. at(line, 3)
    newKeys[#newKeys + 1] = keyName
    newKeys[#newKeys + 1] = keys[keyName]
  end
  newAccepted[#newAccepted + 1] = buyerName .. ' ' .. id
  if acceptedBefore == '' then return buyer.limit end
  return {'a', buyer.limit, acceptedAt}
end

for line = 1, lines do outcomes[line] = decide(line) end

local entry, text = '', ''
if #wires > 0 then
  local parts = {}
  for i, wire in ipairs(wires) do parts[i] = wire[2] end
  text = '{"v":1,"scope":"' .. ARGV[4] .. '","epoch":' .. ARGV[5] .. ',"sale":"' .. ARGV[1] .. '","lines":[' .. table.concat(parts, ',') .. ']}'
  entry = redis.call('XADD', KEYS[4], ARGV[2] == '' and '*' or integer(now) .. '-*', 'm', text)
  local written = {}
  for _, wire in ipairs(wires) do
    written[#written + 1] = wire[1]
    records[wire[1]] = entry .. ' ' .. ARGV[1] .. ' ' .. wire[2]
    written[#written + 1] = records[wire[1]]
  end
  redis.call('HSET', KEYS[3], unpack(written))
  local newUnits, newAttempts = {}, {}
  for name, buyer in pairs(touched) do
    newUnits[#newUnits + 1] = name
    newUnits[#newUnits + 1] = integer(buyer.units)
    newAttempts[#newAttempts + 1] = name
    newAttempts[#newAttempts + 1] = integer(buyer.attempts)
  end
  redis.call('HSET', KEYS[2], unpack(newUnits))
  redis.call('HSET', KEYS[6], unpack(newAttempts))
  if #newKeys > 0 then redis.call('HSET', KEYS[8], unpack(newKeys)) end
  redis.call('RPUSH', KEYS[9], unpack(newAccepted))
  redis.call('HSET', KEYS[5], 'available', integer(available))
end
-- Lines that met one of this very call.
for _, one in ipairs(pending) do outcomes[one[1]] = {'k', one[2], records[one[2]], entry, text} end

local view = viewOf(now, feed, available, held(), sale, KEYS[9])
return {view, entry, text, redis.call('XLEN', KEYS[4]), outcomes, sale[12], sale[13]}
