-- Books that were found right are suspects no more, but for those of which something was taken since.
--
-- KEYS  1 {inv}:suspects
--       2 {inv}:changes
-- ARGV  1, 2, … book, its counter of changes when it was found right ('' if it had none)
-- Returns CLEARED

for i = 1, #ARGV, 2 do
  if (redis.call('HGET', KEYS[2], ARGV[i]) or '') == ARGV[i + 1] then
    redis.call('SREM', KEYS[1], ARGV[i])
  end
end
return 'CLEARED'
