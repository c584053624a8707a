-- cart_take: takes an order's copies out of the cart, once per order, and keeps what it really took for cart_restore.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] order   arg[2] … book, copies, …
-- Returns OK      taken, now or before, or barred because the order has ended
--         MOVED   this cart was closed before: take them from the account's (`into`)
local mark = 'taken:' .. arg[1]
if cart[mark] then return reply('OK') end
if cart.into then return reply('MOVED') end
local took = {}
for i = 2, #arg, 2 do
  local book, have = arg[i], copies(arg[i])
  local count = math.min(have, tonumber(arg[i + 1]))
  if count > 0 then
    took[#took + 1] = book .. '=' .. text(count) .. '@' .. (cart['p:' .. book] or '')
    set_copies(book, have - count)
  end
end
put(mark, text(now) .. ';' .. table.concat(took, ','))
prune('taken:')
return commit('OK')
