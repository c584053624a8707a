-- Takes copies off sale before Postgres writes that down, once, as the operation that will say so; each book once.
--
-- KEYS  1 {inv}:op:<id>:<ms>
--       2 {inv}:stock
--       3 {inv}:changes
--       4 {inv}:epoch
--       5 {inv}:suspects
--       6 {inv}:run_id
-- ARGV  1 'whole': every line in full, or nothing at all; 'part': of each line what is on sale
--       2 life of the operation's key, s
--       3 channel of live stock
--       4 run_id of the Redis server: a gate loaded in another run came back with what its file knew
--       5, 6, … book, copies to take
-- Returns {'TAKEN', copies, …}   of each line
--         {'SHORT', left}   fewer of some book are on sale; nothing was taken ('whole' only)
--         {'NOT_READY'}     the gate is not loaded, and will count the operation when it is

local epoch, run = unpack(redis.call('MGET', KEYS[4], KEYS[6]))
if not epoch or run ~= ARGV[4] then
  return {'NOT_READY'}
end
local answer = {'TAKEN'}
for i = 5, #ARGV, 2 do
  local left = math.max(tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or '0'), 0)
  local copies = math.min(left, tonumber(ARGV[i + 1]))
  if ARGV[1] == 'whole' and copies < tonumber(ARGV[i + 1]) then
    return {'SHORT', tostring(left)}
  end
  answer[#answer + 1] = tostring(copies)
end
redis.call('SET', KEYS[1], 'taken', 'EX', ARGV[2])
for line = 2, #answer do
  local book, copies = ARGV[2 * line + 1], answer[line]
  if copies ~= '0' then
    -- Should it never be written down, reconciling has to look at this book.
    redis.call('SADD', KEYS[5], book)
    local left = redis.call('HINCRBY', KEYS[2], book, '-' .. copies)
    local counter = redis.call('HINCRBY', KEYS[3], book, 1)
    redis.call('PUBLISH', ARGV[3], book .. ' ' .. left .. ' ' .. epoch .. ' ' .. counter)
  end
end
return answer
