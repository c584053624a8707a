-- cart_merge: adds a frozen guest cart's lines to this account's, once per (guest, t). A guest cart that came back
-- after a loss brings only what it has more of than last time: its mark holds what was merged.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] guest's owner text   arg[2] its t   arg[3] most copies   arg[4] most titles   arg[5] … book, copies, …
-- Returns OK    all of them, now or before
--         CUT   not all fitted; note: "book=wanted,…" of the lines that hold fewer
local mark, most, room = 'merged:' .. arg[1], tonumber(arg[3]), tonumber(arg[4]) - titles()
local before = {}
if cart[mark] then
  local at, lines = string.match(cart[mark], '^%d+;(%d+);(.*)$')
  if tonumber(at) >= tonumber(arg[2]) then return reply('OK') end
  for book, count in string.gmatch(lines, '(%d+)=(%d+)') do before[book] = tonumber(count) end
end
local cut, left_out = {}, false
for i = 5, #arg, 2 do
  local book, have, brings = arg[i], copies(arg[i]), tonumber(arg[i + 1])
  local more = math.max(0, brings - (before[book] or 0))
  before[book] = math.max(brings, before[book] or 0)
  if have == 0 and more > 0 and room <= 0 then
    left_out = true
  elseif more > 0 then
    if have == 0 then room = room - 1 end
    set_copies(book, math.min(most, have + more))
    if have + more > most then cut[#cut + 1] = book .. '=' .. text(have + more) end
  end
end
local merged = {}
for book, count in pairs(before) do merged[#merged + 1] = book .. '=' .. text(count) end
put(mark, text(now) .. ';' .. arg[2] .. ';' .. table.concat(merged, ','))
prune('merged:')
return commit((left_out or #cut > 0) and 'CUT' or 'OK', table.concat(cut, ','))
