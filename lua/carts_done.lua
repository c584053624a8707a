-- carts_done: Postgres has this state of the cart; it stays dirty if it moved since it was read.
--
-- KEYS    1 cart:{b}:<owner>  HASH     2 cart:{b}:dirty  ZSET     3 cart:{b}:attempts  HASH     4 cart:{b}:dead  ZSET
--         5 cart:{b}:leases  HASH
-- ARGV    1 owner   2 v   3 t that were written   4 due, unix ms: when to look again if it moved
--         5 seconds after which the clean cart may leave Redis, 0 never
-- Returns DONE      clean
--         REVIVED   clean, and it had been parked in the dead letters
--         MOVED     edited meanwhile: due again
redis.call('HDEL', KEYS[5], ARGV[1])
local now_at = redis.call('HMGET', KEYS[1], 'v', 't')
if now_at[1] and (now_at[1] ~= ARGV[2] or now_at[2] ~= ARGV[3]) then
  redis.call('ZADD', KEYS[2], 'XX', ARGV[4], ARGV[1])
  return 'MOVED'
end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
if ARGV[5] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
if redis.call('ZREM', KEYS[4], ARGV[1]) == 1 then return 'REVIVED' end
return 'DONE'
