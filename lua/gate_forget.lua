-- Takes what the gate keeps of an order that has ended (or never was) away, unless it is another order by now.
--
-- KEYS  1 {inv}:resv:<order>
--       2 {inv}:holds:<owner>
-- ARGV  1 order id
--       2 the order as the reservation had it, JSON ('' if there was none)
-- Returns FORGOTTEN
--         CHANGED  the reservation is not the one that was judged, or everything is gone already

if (redis.call('HGET', KEYS[1], 'order') or '') ~= ARGV[2] then
  return 'CHANGED'
end
if redis.call('DEL', KEYS[1]) + redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then
  return 'CHANGED'
end
return 'FORGOTTEN'
