-- Drives one scenario. Environment: METHOD (POST: purchases; GET: pages, as a browser asks for them), TOKENS (file, one bearer token a line; "" for none), FROM and COUNT (lines to use),
-- PATHS (file, one path a line, used in turn), KEY ("" or a prefix: each request gets its own Idempotency-Key), ADDRESSES
-- (host:port of each thread's server, with blanks between), PREFER (a Prefer header, or ""), RATE ("" or requests a second,
-- which are sent when they are due, however long others take, as long as a connection is free).
-- Prints one line "RESULT {json}" at the end.
local tokens, paths, from, key = {}, {}, tonumber(os.getenv("FROM") or "0"), os.getenv("KEY") or ""
local count = tonumber(os.getenv("COUNT") or "1")
local body = '{"quantity":1}'
local sent, threads = 0, 0
local isGet = os.getenv("METHOD") == "GET"
local prefer = os.getenv("PREFER") or ""
if prefer ~= "" then prefer = "Prefer: " .. prefer .. "\r\n" end
local rate = tonumber(os.getenv("RATE") or "")
local due

if rate then
  local ffi = require("ffi")
  ffi.cdef("typedef struct { long seconds, nanoseconds; } moment; int clock_gettime(int, moment *);")
  local moment = ffi.new("moment")
  local function nowMs()
    ffi.C.clock_gettime(1, moment)
    return tonumber(moment.seconds) * 1000 + tonumber(moment.nanoseconds) / 1e6
  end
  -- There is one thread.
  function delay()
    local now = nowMs()
    due = (due or now) + 1000 / rate
    return math.max(0, due - now)
  end
end

function setup(thread)
  local i = 0
  for host, port in os.getenv("ADDRESSES"):gmatch("(%S+):(%d+)") do
    if i == threads then thread.addr = wrk.lookup(host, port)[1] end
    i = i + 1
  end
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  local i = 0
  -- Each thread has a memory of its own: they begin at different callers, and their keys differ.
  sent = number * math.floor(count / 2)
  for line in io.lines(os.getenv("TOKENS")) do
    if i >= from and #tokens < count then tokens[#tokens + 1] = line end
    if #tokens == count then break end
    i = i + 1
  end
  for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
end

function request()
  sent = sent + 1
  if isGet then
    return "GET " .. paths[(sent - 1) % #paths + 1]
      .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
  end
  local token = tokens[(sent - 1) % #tokens + 1]
  local idem = ""
  if key ~= "" then idem = "Idempotency-Key: " .. key .. number .. "-" .. sent .. "\r\n" end
  return "POST " .. paths[(sent - 1) % #paths + 1] .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "
    .. token .. "\r\n" .. idem .. prefer .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local e = summary.errors
  print(string.format(
    'RESULT {"requests":%d,"durationUs":%d,"status":%d,"socket":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d}',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
