-- cart_restore: puts back what cart_take took for an order, once, and bars a late take of it.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] order   arg[2] "book=copies@price seen,…" that this order took from a cart closed since
-- Returns OK      back, now or before
--         MOVED   this cart was closed: put `note` back into the account's (`into`)
local mark = 'taken:' .. arg[1]
local back = cart[mark] and string.match(cart[mark], ';(.*)$')
if back == '-' then return reply('OK') end
if cart.into then return reply('MOVED', back) end
for book, count, price in string.gmatch(back or arg[2], '(%d+)=(%d+)@?(%d*)') do
  set_copies(book, math.min(MOST, copies(book) + tonumber(count)))
  if not cart['p:' .. book] then saw(book, price) end
end
put(mark, text(now) .. ';-')
prune('taken:')
return commit('OK')
