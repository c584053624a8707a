-- cart_cap: lowers a line that an edit raised above what turned out to be on sale; never raises it.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] book   arg[2] most copies, 0 takes the line out
-- Returns OK      it holds no more than that
--         MOVED   this cart was closed: nothing changed
local book, most = arg[1], tonumber(arg[2])
if cart.into then return reply('MOVED') end
if copies(book) <= most then return reply('OK') end
set_copies(book, most)
-- The edit that put it there is refused, so it replaces no line that Postgres may have.
if most == 0 then put('u:' .. book, nil) end
return commit('OK')
