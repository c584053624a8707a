-- cart_merge: adds a frozen guest cart's lines to this account's, once per (guest, t). A guest cart that came back
-- after a loss brings only what it has more of than last time: its mark holds what was merged.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] guest's owner text   arg[2] its t   arg[3] … book, copies, price seen or '', …
-- Returns OK    merged, now or before; what was cut or left out stands in `n`. note: "book=wanted,…" of cut lines
local mark, room = 'merged:' .. arg[1], TITLES - titles()
local before = {}
if cart[mark] then
  local at, lines = string.match(cart[mark], '^%d+;(%d+);(.*)$')
  if tonumber(at) >= tonumber(arg[2]) then return reply('OK') end
  for book, count in string.gmatch(lines, '(%d+)=(%d+)') do before[book] = tonumber(count) end
end
local brought, cut, left_out = 0, {}, 0
for i = 3, #arg, 3 do
  local book, have, brings = arg[i], copies(arg[i]), tonumber(arg[i + 1])
  local more = math.max(0, brings - (before[book] or 0))
  before[book] = math.max(brings, before[book] or 0)
  if have == 0 and more > 0 and room <= 0 then
    left_out = left_out + 1
  elseif more > 0 then
    if have == 0 then room = room - 1 end
    set_copies(book, math.min(MOST, have + more))
    saw(book, arg[i + 2])
    brought = brought + 1
    if have + more > MOST then cut[#cut + 1] = book .. '=' .. text(have + more) end
  end
end
local merged = {}
for book, count in pairs(before) do merged[#merged + 1] = book .. '=' .. text(count) end
put(mark, text(now) .. ';' .. arg[2] .. ';' .. table.concat(merged, ','))
prune('merged:')
if brought + left_out > 0 then put('n', text(brought) .. ',' .. text(#cut) .. ',' .. text(left_out)) end
return commit('OK', table.concat(cut, ','))
