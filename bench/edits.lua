-- wrk: edits of the carts of logged-in shoppers, JSON answers. Arguments: file of cookies, file of book ids.
-- All requests are written beforehand, so that wrk's own work stays small beside the server's.

local requests, threads = {}, 0

function setup(thread)
  threads = threads + 1
  thread:set('number', threads)
end

local function lines(name)
  local found = {}
  for line in io.lines(name) do found[#found + 1] = line end
  return found
end

function init(args)
  math.randomseed(number)
  for _, cookie in ipairs(lines(args[1])) do
    local headers = {
      ['Cookie'] = cookie,
      ['Accept'] = 'application/json',
      ['Content-Type'] = 'application/x-www-form-urlencoded',
    }
    for _, book in ipairs(lines(args[2])) do
      local forms = { add = '&quantity=1', set = '&quantity=3', remove = '' }
      for verb, rest in pairs(forms) do
        requests[#requests + 1] = wrk.format('POST', '/api/cart/' .. verb, headers, 'book_id=' .. book .. rest)
      end
    end
  end
end

function request() return requests[math.random(#requests)] end

function done(summary, latency)
  local e = summary.errors
  local errors = e.status + e.connect + e.read + e.write + e.timeout
  print(string.format('bench %.0f %.2f %.2f %d', summary.requests * 1e6 / summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors))
end
