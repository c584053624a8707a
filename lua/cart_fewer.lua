-- cart_fewer: takes copies off a line; without any left the line goes. A line that is not there is no change.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] book   arg[2] copies
-- Returns OK      the line holds so many fewer, or is not in the cart
--         MOVED   this cart was closed: nothing changed
local book = arg[1]
if cart.into then return reply('MOVED') end
local have = copies(book)
if have == 0 then return reply('OK') end
set_copies(book, math.max(have - tonumber(arg[2]), 0))
put('n', nil)
return commit('OK')
