-- carts_claim: leases carts of one bucket that are due to be persisted, oldest first.
--
-- KEYS    1 cart:{b}:dirty  ZSET owner -> due, unix ms     2 cart:{b}:attempts  HASH owner -> "<failed>:<since>"
-- ARGV    1 now, unix ms   2 end of the lease, unix ms   3 most carts
-- Returns { owner, attempts, owner, attempts, … } as strings; attempts as they are stored, '' for none
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local answer = {}
for _, owner in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[2], owner)
  answer[#answer + 1] = owner
  answer[#answer + 1] = redis.call('HGET', KEYS[2], owner) or ''
end
return answer
