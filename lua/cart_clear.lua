-- cart_clear: takes all lines out. The hash stays: an absent cart would be loaded from Postgres again, lines and all.
--
-- KEYS    as cart_prelude
-- ARGV    none
-- Returns OK      the cart is empty
--         MOVED   this cart was closed: nothing changed
if cart.into then return reply('MOVED') end
if titles() == 0 and (not cart.unproven or cart.unproven == 'cleared') then return reply('OK') end
for _, kind in ipairs({ 'i:', 'p:', 'k:', 'o:', 'u:' }) do drop_all(kind) end
if cart.unproven then put('unproven', 'cleared') end
put('n', nil)
return commit('OK')
