-- wrk: each guest places one order, then it is over. Arguments: file of cookies, start of the keys, mean pause of a connection, ms.

local requests, threads, at = {}, 0, 0
answered, placed, pause = 0, 0, 0
local all = {}

function setup(thread)
  threads = threads + 1
  thread:set('number', threads)
  all[threads] = thread
end

function init(args)
  math.randomseed(number)
  pause = tonumber(args[3])
  -- wrk asks its first thread once before it begins.
  if number == 1 then at = -1 end
  local form = 'name=Asha+Rao&line1=12+MG+Road&city=Bengaluru&state=Karnataka&postcode=560001&country=IN'
    .. '&phone=%2B919845012345&email=asha%40example.org'
  local guest = 0
  for cookie in io.lines(args[1]) do
    guest = guest + 1
    -- Two threads share them.
    if guest % 2 == number % 2 then
      requests[#requests + 1] = wrk.format('POST', '/api/orders/place', {
        ['Cookie'] = cookie,
        ['Accept'] = 'application/json',
        ['Content-Type'] = 'application/x-www-form-urlencoded',
        ['Idempotency-Key'] = string.format('%s%012x', args[2], guest),
      }, form)
    end
  end
end

-- After the last one, until all are answered, something that costs nothing.
function request()
  at = at + 1
  return requests[math.max(at, 1)] or wrk.format('GET', '/healthz')
end

function delay() return pause == 0 and 0 or math.random(0, math.floor(2 * pause)) end

function response(status, _, body)
  local is_order = body:find('order_id', 1, true) ~= nil
  if is_order or status ~= 200 then answered = answered + 1 end
  if is_order then placed = placed + 1 end
  if answered >= #requests then wrk.thread:stop() end
end

function done(summary, latency)
  local answered, placed = 0, 0
  for _, thread in ipairs(all) do
    answered, placed = answered + thread:get('answered'), placed + thread:get('placed')
  end
  print(string.format('bench %d %d %.2f %.2f', answered, placed, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
