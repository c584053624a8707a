-- The order is committed in Postgres: from now on it is ended there. Takes its entry out of the stream, unless something is
-- left to do before: its copies are perhaps in the cart still, or a cancellation was asked for meanwhile. Then the entry
-- stays until the worker has done that.
--
-- KEYS  1 {inv}:placed
--       2 {inv}:resv:<order>
-- ARGV  1 consumer group
--       2 id of the entry
--       3 1: the cart is dealt with; 0: report it
--       4 1: a cancellation is dealt with (or no longer possible); 0: report it
-- Returns DONE    the entry is gone
--         TAKE    take the copies out of the cart, then call again with 1 in ARGV 3
--         CANCEL  carry out the cancellation, then call again with 1 in ARGV 4

local held = redis.call('HMGET', KEYS[2], 'order', 'cancel')
if held[1] then
  -- Bars order_mark from now on, so a mark that is not read below never comes.
  redis.call('HSET', KEYS[2], 'persisted', '1')
end
if ARGV[3] == '0' then
  return 'TAKE'
end
if ARGV[4] == '0' and held[2] then
  return 'CANCEL'
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
return 'DONE'
