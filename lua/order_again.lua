-- Puts an accepted order that is in the stream no more, and in Postgres not yet, back into the stream.
--
-- KEYS  1 {inv}:placed
--       2 {inv}:resv:<order>
-- ARGV  1 order id
--       2 when it was placed, ms
--       3 its lines: book:copies,…
--       4 the order as the reservation had it, JSON
-- Returns AGAIN
--         CHANGED  the reservation is not the one that was judged

if redis.call('HGET', KEYS[2], 'order') ~= ARGV[4] then
  return 'CHANGED'
end
redis.call('HDEL', KEYS[2], 'persisted')
redis.call('XADD', KEYS[1], '*', 'order', ARGV[1], 'placed_at', ARGV[2], 'lines', ARGV[3])
return 'AGAIN'
