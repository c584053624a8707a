-- cart_load: the cart as it stands; one that Redis lost is put back as the seed says, without counting as a change.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] seconds after which an unchanged copy may leave Redis again
-- Returns OK   the cart
if fresh then
  redis.call('HSET', KEYS[1], unpack(stored))
  redis.call('EXPIRE', KEYS[1], arg[1])
  -- Closed with lines left: the move into the account was cut short, and a worker has to finish it.
  if cart.into and titles() > 0 then redis.call('ZADD', KEYS[2], 'NX', due, owner) end
end
return reply('OK')
