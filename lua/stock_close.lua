-- Closes the gate for a rebuild: from here on nothing is accepted. Not if it is loaded for this run of Redis by now: a
-- rebuild that slept until another one was done has nothing to close.
--
-- KEYS  1 {inv}:epoch
--       2 {inv}:run_id
--       3 {inv}:loading
--       4 {inv}:reclaims   what they took is counted anew, and nobody is about to write any of it down
-- ARGV  1 token of this rebuild
--       2 run_id of the Redis server
-- Returns CLOSED
--         OPEN    the gate is loaded

local gate = redis.call('MGET', KEYS[1], KEYS[2])
if gate[1] and gate[2] == ARGV[2] then
  return 'OPEN'
end
redis.call('DEL', KEYS[1], KEYS[4])
redis.call('SET', KEYS[3], ARGV[1])
return 'CLOSED'
