-- Takes the copies of an order that has ended off sale again, all or none, once: money came for it after all.
--
-- KEYS  1 {inv}:epoch
--       2 {inv}:stock
--       3 {inv}:changes
--       4 {inv}:reclaims   HASH payment → lines taken for it: book:copies,…; counts as long as the payment is undecided
--       5 {inv}:suspects
--       6 {inv}:run_id
-- ARGV  1 payment id
--       2 channel of live stock
--       3 run_id of the Redis server: a gate loaded in another run came back with what its file knew
--       4, 5, … book, copies (each book once)
-- Returns {'NOT_READY'}              the gate is not loaded
--         {'REPLAYED'}               they were taken for this payment before
--         {'INSUFFICIENT', book, left, …}  the short books only
--         {'PLACED'}
-- Writes nothing unless it returns PLACED.

local epoch, run = unpack(redis.call('MGET', KEYS[1], KEYS[6]))
if not epoch or run ~= ARGV[3] then
  return {'NOT_READY'}
end
if redis.call('HEXISTS', KEYS[4], ARGV[1]) == 1 then
  return {'REPLAYED'}
end

local short = {'INSUFFICIENT'}
for i = 4, #ARGV, 2 do
  local left = tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or '0')
  if left < tonumber(ARGV[i + 1]) then
    short[#short + 1] = ARGV[i]
    short[#short + 1] = tostring(math.max(left, 0))
  end
end
if #short > 1 then
  return short
end

local lines = {}
for i = 4, #ARGV, 2 do
  local left = redis.call('HINCRBY', KEYS[2], ARGV[i], -ARGV[i + 1])
  local counter = redis.call('HINCRBY', KEYS[3], ARGV[i], 1)
  redis.call('PUBLISH', ARGV[2], ARGV[i] .. ' ' .. left .. ' ' .. epoch .. ' ' .. counter)
  -- Should a worker that slept through the decision have come here, reconciling has to look at this book.
  redis.call('SADD', KEYS[5], ARGV[i])
  lines[#lines + 1] = ARGV[i] .. ':' .. ARGV[i + 1]
end
redis.call('HSET', KEYS[4], ARGV[1], table.concat(lines, ','))
return {'PLACED'}
