-- Asks for the cancellation of an order that is still in the stream; only the persist worker may end it there.
--
-- KEYS  1 {inv}:resv:<order>
-- ARGV  1 now, ms
-- Returns MARKED  the worker will see it
--         GONE    the order is in Postgres, or was never here: ask there

if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'persisted') == 1 then
  return 'GONE'
end
redis.call('HSETNX', KEYS[1], 'cancel', ARGV[1])
return 'MARKED'
