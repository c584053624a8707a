-- cart_remove: takes a line out; a line that is not there is no change.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] book
-- Returns OK      it is not in the cart
--         MOVED   this cart was closed: nothing changed
local book = arg[1]
if cart.into then return reply('MOVED') end
if copies(book) == 0 and not cart.unproven then return reply('OK') end
set_copies(book, 0)
replaces(book)
put('n', nil)
return commit('OK')
