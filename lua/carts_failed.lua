-- carts_failed: a cart could not be persisted: try again later, or, when it stands in the dead letters, stop trying.
-- An edit of a parked cart makes it dirty again, so it gets one more attempt with each burst of edits.
--
-- KEYS    1 cart:{b}:dirty  ZSET     2 cart:{b}:attempts  HASH     3 cart:{b}:dead  ZSET owner -> parked, unix ms
-- ARGV    1 owner   2 due, unix ms   3 park: 1 when its dead letter is written, else 0   4 now, unix ms
-- Returns RETRY    due again
--         PARKED   off the list
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
if ARGV[3] == '1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
  return 'PARKED'
end
redis.call('ZADD', KEYS[1], 'XX', ARGV[2], ARGV[1])
return 'RETRY'
