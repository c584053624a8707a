-- cart_clear: takes all lines out. The hash stays: an absent cart would be loaded from Postgres again, lines and all.
--
-- KEYS    as cart_prelude
-- ARGV    none
-- Returns OK      the cart is empty
--         MOVED   this cart was closed: nothing changed
if cart.into then return reply('MOVED') end
if titles() == 0 and cart.unproven ~= 'base' then return reply('OK') end
drop_all('i:')
drop_all('u:')
if cart.unproven then put('unproven', 'cleared') end
return commit('OK')
