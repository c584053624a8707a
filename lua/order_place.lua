-- Accepts an order: every line or none, once per idempotency key.
--
-- KEYS  1 {inv}:epoch
--       2 {inv}:stock
--       3 {inv}:changes
--       4 {inv}:placed
--       5 {inv}:idem:<owner>:<key>
--       6 {inv}:holds:<owner>
--       7 {inv}:resv:<order>
--       8 {inv}:latest:<owner>
--       9 {inv}:from:<network>
--      10 {inv}:run_id
-- ARGV  1 order id
--       2 owner
--       3 fingerprint of the request
--       4 answer to the client, JSON
--       5 the whole order, JSON
--       6 now, ms
--       7 deadline of paying, ms
--       8 most open orders of one owner
--       9 life of the idempotency record, and of the owner's latest order, s
--      10 channel of live stock: one message, a line for each book: book, copies left, epoch, changes
--      11 orders whose copies the cart that this order is made of had given up: a space before and after each
--      12 most copies held by the open orders of one network; 0: no limit, nothing is counted
--      13 run_id of the Redis server: a gate loaded in another run came back with what its file knew
--      14, 15, … book, copies (one pair per line; a book may come twice)
-- Returns {'NOT_READY'}              the gate is not loaded
--         {'REPLAYED', answer}       this key, or this order, was accepted before
--         {'KEY_REUSED'}             this key was used for another request
--         {'TOO_MANY_HOLDS'}
--         {'TOO_MANY_COPIES'}        this network's orders, perhaps some that ended, hold too many
--         {'CART_TAKEN', order}      that order was made of this cart
--         {'INSUFFICIENT', book, left, …}  the short books only
--         {'PLACED'}
-- Writes nothing unless it returns PLACED.

local epoch, run = unpack(redis.call('MGET', KEYS[1], KEYS[10]))
if not epoch or run ~= ARGV[13] then
  return {'NOT_READY'}
end

-- The record of the key, or, should that be gone, the reservation of the order that the key names.
for _, key in ipairs({KEYS[5], KEYS[7]}) do
  local known = redis.call('HMGET', key, 'fingerprint', 'answer')
  if known[1] then
    if known[1] ~= ARGV[3] then
      return {'KEY_REUSED'}
    end
    return {'REPLAYED', known[2]}
  end
end

-- Of what a cart was before it gave up the copies of the owner's latest order, nothing else is ordered.
local latest = redis.call('GET', KEYS[8])
if latest and not string.find(ARGV[11], ' ' .. latest .. ' ', 1, true) then
  return {'CART_TAKEN', latest}
end

if redis.call('ZCARD', KEYS[6]) >= tonumber(ARGV[8]) then
  return {'TOO_MANY_HOLDS'}
end

local books, wanted, lines, all = {}, {}, {}, 0
for i = 14, #ARGV, 2 do
  local book, copies = ARGV[i], tonumber(ARGV[i + 1])
  all = all + copies
  if not wanted[book] then
    books[#books + 1] = book
    wanted[book] = 0
  end
  wanted[book] = wanted[book] + copies
end

local most = tonumber(ARGV[12])
if most > 0 then
  local held = all
  for _, copies in ipairs(redis.call('HVALS', KEYS[9])) do
    held = held + tonumber(copies)
  end
  if held > most then
    return {'TOO_MANY_COPIES'}
  end
end

local short = {'INSUFFICIENT'}
local left = redis.call('HMGET', KEYS[2], unpack(books))
for i, book in ipairs(books) do
  local available = tonumber(left[i] or '0')
  left[i] = available - wanted[book]
  if left[i] < 0 then
    short[#short + 1] = book
    short[#short + 1] = math.max(available, 0)
  end
end
if #short > 1 then
  return short
end

local counters = redis.call('HMGET', KEYS[3], unpack(books))
local stock, changes, news = {}, {}, {}
for i, book in ipairs(books) do
  local counter = tonumber(counters[i] or '0') + 1
  stock[2 * i - 1], stock[2 * i] = book, left[i]
  changes[2 * i - 1], changes[2 * i] = book, counter
  news[i] = book .. ' ' .. left[i] .. ' ' .. epoch .. ' ' .. counter
  lines[i] = book .. ':' .. wanted[book]
end
redis.call('HSET', KEYS[2], unpack(stock))
redis.call('HSET', KEYS[3], unpack(changes))
redis.call('PUBLISH', ARGV[10], table.concat(news, '\n'))
redis.call('HSET', KEYS[7], 'owner', ARGV[2], 'fingerprint', ARGV[3], 'answer', ARGV[4], 'order', ARGV[5])
redis.call('ZADD', KEYS[6], ARGV[7], ARGV[1])
redis.call('XADD', KEYS[4], '*', 'order', ARGV[1], 'placed_at', ARGV[6], 'lines', table.concat(lines, ','))
redis.call('HSET', KEYS[5], 'fingerprint', ARGV[3], 'answer', ARGV[4])
redis.call('EXPIRE', KEYS[5], ARGV[9])
redis.call('SET', KEYS[8], ARGV[1], 'EX', ARGV[9])
if most > 0 then
  redis.call('HSET', KEYS[9], ARGV[1], all)
  redis.call('EXPIRE', KEYS[9], ARGV[9])
end
return {'PLACED'}
