-- Sets the copies of one book on sale to what the ledger says, unless the book moved since it was counted.
--
-- KEYS  1 {inv}:epoch
--       2 {inv}:stock
--       3 {inv}:changes
-- ARGV  1 epoch in which it was counted
--       2 book
--       3 its counter of changes then ('' if it had none)
--       4 copies on sale then
--       5 copies that should be
--       6 channel of live stock
-- Returns MENDED
--         MOVED   something happened to it: count again

local epoch = redis.call('GET', KEYS[1])
local counter = redis.call('HGET', KEYS[3], ARGV[2]) or ''
local left = redis.call('HGET', KEYS[2], ARGV[2]) or '0'
if epoch ~= ARGV[1] or counter ~= ARGV[3] or left ~= ARGV[4] then
  return 'MOVED'
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[5])
counter = redis.call('HINCRBY', KEYS[3], ARGV[2], 1)
redis.call('PUBLISH', ARGV[6], ARGV[2] .. ' ' .. math.max(tonumber(ARGV[5]), 0) .. ' ' .. epoch .. ' ' .. counter)
return 'MENDED'
