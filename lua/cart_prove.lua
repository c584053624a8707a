-- cart_prove: adds what Postgres holds to a cart that was begun while Postgres could not be asked.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] most copies   arg[2] most titles   arg[3] … field, value, … of the cart as Postgres has it
-- Returns OK   proven, now or before
if not cart.unproven then return reply('OK') end
local most, room = tonumber(arg[1]), tonumber(arg[2]) - titles()
for i = 3, #arg, 2 do
  local field, value = arg[i], arg[i + 1]
  local kind, book = string.sub(field, 1, 2), string.sub(field, 3)
  if kind == 'i:' then
    local have = copies(book)
    if cart.unproven == 'base' and not cart['u:' .. book] and (have > 0 or room > 0) then
      if have == 0 then room = room - 1 end
      set_copies(book, math.min(most, have + tonumber(value)))
    end
  elseif field == 'v' or field == 't' then
    put(field, text(math.max(tonumber(cart[field] or '0'), tonumber(value))))
  elseif not cart[field] then
    put(field, value)
  end
end
put('unproven', nil)
drop_all('u:')
return commit('OK')
