-- cart_set: sets a line to so many copies, within the limits and what is on sale.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] book   arg[2] copies   arg[3] copies on sale, -1 unknown   arg[4] most copies   arg[5] most titles
-- Returns OK        exactly so many
--         CUT       fewer than asked for; note: asked. With none on sale the line keeps at most what it had
--         SOLD_OUT  none on sale and no such line: nothing changed
--         FULL      too many titles: nothing changed
--         MOVED     this cart was closed: nothing changed
local book, asked, on_sale, limit = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
if cart.into then return reply('MOVED') end
if on_sale >= 0 then limit = math.min(limit, on_sale) end
local have = copies(book)
local count = math.min(asked, limit)
if count == 0 then count = math.min(asked, have) end
if count == 0 then return reply('SOLD_OUT') end
if have == 0 and titles() >= tonumber(arg[5]) then return reply('FULL') end
local code, note = 'OK', nil
if count < asked then code, note = 'CUT', text(asked) end
if count == have and not cart.unproven then return reply(code, note) end
set_copies(book, count)
replaces(book)
return commit(code, note)
