-- cart_add: adds copies to a line, within the limits and what is on sale; never lowers it.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] book   arg[2] copies   arg[3] copies on sale, -1 unknown   arg[4] most copies   arg[5] most titles
-- Returns OK        all of them
--         CUT       the line holds fewer than asked for; note: have + asked
--         SOLD_OUT  none on sale and no such line: nothing changed
--         FULL      too many titles: nothing changed
--         MOVED     this cart was closed: nothing changed
local book, asked, on_sale, limit = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
if cart.into then return reply('MOVED') end
if on_sale >= 0 then limit = math.min(limit, on_sale) end
local have = copies(book)
local count = math.max(have, math.min(have + asked, limit))
if count == 0 then return reply('SOLD_OUT') end
if have == 0 and titles() >= tonumber(arg[5]) then return reply('FULL') end
local code, note = 'OK', nil
if count < have + asked then code, note = 'CUT', text(have + asked) end
if count == have then return reply(code, note) end
set_copies(book, count)
return commit(code, note)
