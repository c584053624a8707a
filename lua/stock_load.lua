-- Opens the gate on a finished rebuild: the staged counts become the stock, then the epoch appears.
--
-- KEYS  1 {inv}:epoch
--       2 {inv}:loading
--       3 {inv}:stock
--       4 {inv}:stock:<token>   the staged counts; absent: the shop has no books
--       5 {inv}:run_id
-- ARGV  1 token of this rebuild
--       2 the new epoch
--       3 run_id of the Redis server that was loaded
--       4 channel for live stock: every number is another one now, under the new epoch
-- Returns LOADED
--         SUPERSEDED  something happened that this rebuild has not counted: start again

if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  redis.call('DEL', KEYS[4])
  return 'SUPERSEDED'
end
if redis.call('EXISTS', KEYS[4]) == 1 then
  redis.call('RENAME', KEYS[4], KEYS[3])
  redis.call('PERSIST', KEYS[3])
else
  redis.call('DEL', KEYS[3])
end
redis.call('SET', KEYS[5], ARGV[3])
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[4], 'loaded ' .. ARGV[2])
return 'LOADED'
