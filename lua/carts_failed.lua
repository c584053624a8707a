-- carts_failed: a cart could not be persisted: try again later, or, when it stands in the dead letters, stop trying.
-- An edit of a parked cart makes it dirty again, so it gets one more attempt with each burst of edits.
--
-- KEYS    1 cart:{b}:dirty  ZSET     2 cart:{b}:attempts  HASH owner -> "<failed attempts>:<first failure, unix ms>"
--         3 cart:{b}:dead  ZSET owner -> parked, unix ms
-- ARGV    1 owner   2 due, unix ms   3 park: 1 when its dead letter is written, else 0   4 now, unix ms
-- Returns RETRY    due again
--         PARKED   off the list
local count, first = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^(%d+):(%d+)$')
redis.call('HSET', KEYS[2], ARGV[1], string.format('%d:%s', (count or 0) + 1, first or ARGV[4]))
if ARGV[3] == '1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
  return 'PARKED'
end
redis.call('ZADD', KEYS[1], 'XX', ARGV[2], ARGV[1])
return 'RETRY'
