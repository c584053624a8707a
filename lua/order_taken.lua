-- The cart has given an order's copies up (or got them back): what it is from now on may be ordered again.
--
-- KEYS  1 {inv}:bought:<owner>
--       2 {inv}:resv:<order>
-- ARGV  1 order id
--       2 version of the cart after that
-- Returns DONE
--         OTHER  the mark is about another order, or gone

if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'taken', '1')
end
if redis.call('HGET', KEYS[1], 'order') ~= ARGV[1] then
  return 'OTHER'
end
redis.call('HDEL', KEYS[1], 'order')
redis.call('HSET', KEYS[1], 'version', ARGV[2] - 1)
return 'DONE'
