-- Applies one row of gate_ops, once, by its id.
--
-- KEYS  1 {inv}:op:<id>:<ms>
--       2 {inv}:stock
--       3 {inv}:changes
--       4 {inv}:epoch
--       5 {inv}:loading
--       6 {inv}:resv:<order>    } release and settle only
--       7 {inv}:holds:<owner>   }
-- ARGV  1 kind: release · settle · adjust
--       2 order id ('' for adjust)
--       3 life of the operation's key, s
--       4 channel of live stock
--       5, 6, … book, copies to add (settle: ignored, those copies are sold)
-- Returns APPLIED · ALREADY

if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[3]) then
  return 'ALREADY'
end
-- A rebuild under way has not counted this operation: make it start again.
redis.call('DEL', KEYS[5])

if ARGV[1] ~= 'settle' then
  local epoch = redis.call('GET', KEYS[4])
  for i = 5, #ARGV, 2 do
    local left = redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1])
    local counter = redis.call('HINCRBY', KEYS[3], ARGV[i], 1)
    if epoch then
      redis.call('PUBLISH', ARGV[4], ARGV[i] .. ' ' .. math.max(left, 0) .. ' ' .. epoch .. ' ' .. counter)
    end
  end
end
if ARGV[1] ~= 'adjust' then
  redis.call('DEL', KEYS[6])
  redis.call('ZREM', KEYS[7], ARGV[2])
end
return 'APPLIED'
