-- cart_seen: the shopper has seen the prices of these lines, and, having seen all, what the last merge did.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] all | some   arg[2] … book, price in minor units, …
-- Returns OK      noted as far as the lines are there
--         MOVED   this cart was closed: nothing changed
if cart.into then return reply('MOVED') end
local is_new = arg[1] == 'all' and cart.n ~= nil
if is_new then put('n', nil) end
for i = 2, #arg, 2 do
  if copies(arg[i]) > 0 and cart['p:' .. arg[i]] ~= arg[i + 1] then
    saw(arg[i], arg[i + 1])
    is_new = true
  end
end
if not is_new then return reply('OK') end
return commit('OK')
