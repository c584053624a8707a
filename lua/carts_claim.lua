-- carts_claim: leases carts of one bucket that are due to be persisted, oldest first.
--
-- KEYS    1 cart:{b}:dirty  ZSET owner -> due, unix ms     2 cart:{b}:attempts  HASH owner -> "<failed>:<since>"
--         3 cart:{b}:leases  HASH owner -> leases without an outcome
-- ARGV    1 now, unix ms   2 end of the lease, unix ms   3 most carts
--         4 leases from which on a cart is taken up alone, and counted then
-- Returns { owner, attempts, leases, owner, … } as strings; attempts as they are stored, '' for none; leases before this
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local answer = {}
for _, owner in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[2], owner)
  local leases = redis.call('HGET', KEYS[3], owner) or '0'
  if tonumber(leases) < tonumber(ARGV[4]) then redis.call('HINCRBY', KEYS[3], owner, 1) end
  answer[#answer + 1] = owner
  answer[#answer + 1] = redis.call('HGET', KEYS[2], owner) or ''
  answer[#answer + 1] = leases
end
return answer
