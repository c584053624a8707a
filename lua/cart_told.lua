-- cart_told: the catalogue has another price, title or state for a book, so a cart that holds it has to be shown anew.
-- The line itself keeps nothing of that: what is true of a book stands in the catalogue.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] book   arg[2] stamp of the change, unix ms; a later change has a larger one
-- Returns OK   note 'told' the first time; nothing changed if the cart was told, has no such line, or was closed
-- Field   k:<book> the latest stamp that this cart was told of; lives as long as the line
local book, stamp = arg[1], tonumber(arg[2])
if cart.into or copies(book) == 0 or tonumber(cart['k:' .. book] or '0') >= stamp then return reply('OK') end
put('k:' .. book, text(stamp))
-- The version moves by one and not to now: the shopper did nothing, and a forgotten cart stays as old as it is.
now = 0
return commit('OK', 'told')
