-- cart_restore: puts back what cart_take took for an order, once, and bars a late take of it.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] order   arg[2] most copies   arg[3] "book=copies,…" that this order took from a cart closed since
-- Returns OK      back, now or before
--         MOVED   this cart was closed: put `note` back into the account's (`into`)
local mark, most = 'taken:' .. arg[1], tonumber(arg[2])
local back = cart[mark] and string.match(cart[mark], ';(.*)$')
if back == '-' then return reply('OK') end
if cart.into then return reply('MOVED', back) end
for book, count in string.gmatch(back or arg[3], '(%d+)=(%d+)') do
  set_copies(book, math.min(most, copies(book) + tonumber(count)))
end
put(mark, text(now) .. ';-')
prune('taken:')
return commit('OK')
