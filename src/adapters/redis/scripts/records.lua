-- Records of purchases, each with its message while that is not known to be confirmed.
--
-- keys:
--   1 scope, 2 records, 3 outbox
-- arguments:
--   purchases
-- returns:
--   false when this epoch is not here, else {{record, entry, text}, …}, of empty texts where there is none

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local found = {}
for i, record in ipairs(redis.call('HMGET', KEYS[2], unpack(ARGV))) do
  found[i] = {'', '', ''}
  if record then
    local entry = string.match(record, '^%S+')
    local message = redis.call('XRANGE', KEYS[3], entry, entry)
    found[i] = {record, #message > 0 and entry or '', #message > 0 and message[1][2][2] or ''}
  end
end
return found
