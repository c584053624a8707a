-- Takes copies of one book off sale before Postgres writes that down, once, as the operation that will say so.
--
-- KEYS  1 {inv}:op:<id>
--       2 {inv}:stock
--       3 {inv}:changes
--       4 {inv}:epoch
--       5 {inv}:suspects
-- ARGV  1 book
--       2 copies to take
--       3 life of the operation's key, s
--       4 channel of live stock
-- Returns {'TAKEN'}
--         {'SHORT', left}   fewer are on sale; nothing was taken
--         {'NOT_READY'}     the gate is not loaded, and will count the operation when it is

local epoch = redis.call('GET', KEYS[4])
if not epoch then
  return {'NOT_READY'}
end
local left = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
if left < tonumber(ARGV[2]) then
  return {'SHORT', tostring(math.max(left, 0))}
end
redis.call('SET', KEYS[1], 'taken', 'EX', ARGV[3])
-- Should it never be written down, reconciling has to look at this book.
redis.call('SADD', KEYS[5], ARGV[1])
left = redis.call('HINCRBY', KEYS[2], ARGV[1], -ARGV[2])
local counter = redis.call('HINCRBY', KEYS[3], ARGV[1], 1)
redis.call('PUBLISH', ARGV[4], ARGV[1] .. ' ' .. left .. ' ' .. epoch .. ' ' .. counter)
return {'TAKEN'}
