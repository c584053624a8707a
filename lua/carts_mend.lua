-- carts_mend: a cart differs from what Postgres has: have it written again, or put it in doubt, so that the next call
-- which touches it brings what Postgres has. Only if it stands still and nobody is at it already.
--
-- KEYS    1 cart:{b}:<owner>  HASH     2 cart:{b}:dirty  ZSET owner -> due, unix ms
-- ARGV    1 owner   2 v   3 t that were compared   4 due, unix ms   5 doubt: 1 when Postgres is ahead, else 0
-- Returns MENDED   it is dirty now
--         MOVED    edited since, gone, or waiting to be written
local now_at = redis.call('HMGET', KEYS[1], 'v', 't')
local is_waiting = redis.call('ZSCORE', KEYS[2], ARGV[1])
if is_waiting or now_at[1] ~= ARGV[2] or now_at[2] ~= ARGV[3] then
  return 'MOVED'
end
if ARGV[5] == '1' then redis.call('HDEL', KEYS[1], 'e') end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 'MENDED'
