-- cart_set: sets a line to so many copies, within the limits and what is on sale, but not below what it holds for
-- want of copies on sale.
--
-- KEYS    as cart_prelude
-- ARGV    as cart_add
-- Returns OK        the line holds what it could; note: what it held before
--         SOLD_OUT  none on sale and no such line: nothing changed
--         FULL      too many titles: nothing changed
--         MOVED     this cart was closed: nothing changed
local book, on_sale = arg[1], tonumber(arg[4])
if cart.into then return reply('MOVED') end
local have = copies(book)
local count = math.min(tonumber(arg[2]), MOST)
if on_sale >= 0 then count = math.min(count, math.max(have, on_sale)) end
if count == 0 then return reply('SOLD_OUT') end
if have == 0 and titles() >= TITLES then return reply('FULL') end
if count == have and cart['p:' .. book] == arg[3] and not cart.unproven then return reply('OK', text(have)) end
set_copies(book, count)
saw(book, arg[3])
replaces(book)
put('n', nil)
return commit('OK', text(have))
