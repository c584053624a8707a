-- The order is committed in Postgres: from now on it is ended there. Takes its entry out of the stream, unless a
-- cancellation was asked for meanwhile; then the entry stays until the worker has carried that out.
--
-- KEYS  1 {inv}:placed
--       2 {inv}:resv:<order>
-- ARGV  1 consumer group
--       2 id of the entry
--       3 1: a cancellation is dealt with (or no longer possible); 0: report it
-- Returns DONE    the entry is gone
--         CANCEL  carry out the cancellation, then call again with 1

if redis.call('EXISTS', KEYS[2]) == 1 then
  -- Bars order_mark from now on, so no mark can come after the one read below.
  redis.call('HSET', KEYS[2], 'persisted', '1')
  if ARGV[3] == '0' and redis.call('HEXISTS', KEYS[2], 'cancel') == 1 then
    return 'CANCEL'
  end
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
return 'DONE'
