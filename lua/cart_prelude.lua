-- cart_prelude: the start of every script that touches one cart. The wrapper puts it in front of the verb, so that
-- loading, versions, the dirty mark and the message are written once.
--
-- KEYS    1 cart:{b}:<owner>  HASH of the cart     2 cart:{b}:dirty  ZSET owner -> due, unix ms
-- ARGV    1 owner   2 now, unix ms   3 due, unix ms: when to persist   4 channel for live carts
--         5 n   6 .. 5+n seed: field, value, … of the cart as Postgres has it, used when Redis has none
--         the rest are the verb's own, named arg[1], arg[2], …
-- Returns ABSENT   no cart here and no seed given: load it and call again
--
-- Every verb answers { code, v, t, into or '', note, book, copies, book, copies, … }, all as strings.
-- Fields: v changes so far · t = max(t + 1, now) orders them · i:<book> copies · taken:<order>, merged:<guest> marks
-- "<unix ms>;<rest>" · into: closed, its lines belong to that account · unproven: made while Postgres was away
-- ('base': Postgres' lines are still to be added, 'cleared': they are not) · u:<book>: this line replaces Postgres' one.
local owner, now, due, channel, seeded = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local arg = { unpack(ARGV, 6 + seeded) }
local MARKS = 50

local stored = redis.call('HGETALL', KEYS[1])
local fresh = #stored == 0
if fresh then
  if seeded == 0 then return { 'ABSENT' } end
  stored = { unpack(ARGV, 6, 5 + seeded) }
end
local cart, changed = {}, {}
for i = 1, #stored, 2 do cart[stored[i]] = stored[i + 1] end

local function text(number) return string.format('%.0f', number) end

local function put(field, value)
  cart[field], changed[field] = value, true
end

local function copies(book) return tonumber(cart['i:' .. book] or '0') end

local function set_copies(book, count)
  if count > 0 then put('i:' .. book, text(count)) else put('i:' .. book, nil) end
end

-- Says that Postgres' line of this book, not known yet, no longer counts.
local function replaces(book)
  if cart.unproven == 'base' then put('u:' .. book, '1') end
end

local function drop_all(kind)
  for field in pairs(cart) do
    if string.sub(field, 1, #kind) == kind then put(field, nil) end
  end
end

local function titles()
  local count = 0
  for field in pairs(cart) do
    if string.sub(field, 1, 2) == 'i:' then count = count + 1 end
  end
  return count
end

-- Keeps the marks of one kind bounded: the oldest go. An owner has few open orders and one guest cart at a time, so
-- a mark that can still be asked for is among the youngest.
local function prune(kind)
  local marks = {}
  for field, value in pairs(cart) do
    if string.sub(field, 1, #kind) == kind then
      marks[#marks + 1] = { field, tonumber(string.match(value, '^%d+')) or 0 }
    end
  end
  table.sort(marks, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[1] > b[1]) end)
  for i = MARKS + 1, #marks do put(marks[i][1], nil) end
end

local function reply(code, note)
  local answer = { code, cart.v or '0', cart.t or '0', cart.into or '', note or '' }
  for field, value in pairs(cart) do
    if string.sub(field, 1, 2) == 'i:' then
      answer[#answer + 1] = string.sub(field, 3)
      answer[#answer + 1] = value
    end
  end
  return answer
end

-- Writes what changed, or all of a cart that was not here, and records in the same step that Postgres must hear of it.
local function commit(code, note)
  put('v', text(tonumber(cart.v or '0') + 1))
  put('t', text(math.max(tonumber(cart.t or '0') + 1, now)))
  local written, gone = {}, {}
  for field in pairs(fresh and cart or changed) do
    if cart[field] == nil then
      gone[#gone + 1] = field
    else
      written[#written + 1] = field
      written[#written + 1] = cart[field]
    end
  end
  redis.call('HSET', KEYS[1], unpack(written))
  if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
  redis.call('PERSIST', KEYS[1])
  redis.call('ZADD', KEYS[2], 'NX', due, owner)
  redis.call('PUBLISH', channel, owner)
  return reply(code, note)
end

