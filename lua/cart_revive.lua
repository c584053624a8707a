-- cart_revive: what a dead letter kept of a cart comes back, unless this cart is what became of it. One that is older
-- than the letter gives way to it. One that is newer and yet counts fewer changes was begun anew after Redis had lost
-- the letter's: its lines are raised to the letter's copies, so that nobody's books are lost.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] v   arg[2] t of the letter   arg[3] replace: an older cart gives way · raise: only raise lines ·
--         join: raise the lines of the account that a closed cart went to · note: only count the letter as seen to
--         arg[4] … the letter's other fields: field, value, …
-- Returns OK       the cart has it, now or before
--         MOVED    this cart was closed since: `join` the account's (`into`), then come back with `note`
local v, t, how = tonumber(arg[1]), tonumber(arg[2]), arg[3]
local held, at = tonumber(cart.v or '0'), tonumber(cart.t or '0')
if how ~= 'join' and held >= v and at >= t then return reply('OK') end
if cart.into and how ~= 'note' then return reply('MOVED') end
if how ~= 'note' then
  if how == 'replace' and at < t then
    for _, kind in ipairs({ 'i:', 'p:', 'k:' }) do drop_all(kind) end
  end
  local letter = {}
  for i = 4, #arg, 2 do letter[arg[i]] = arg[i + 1] end
  for book, count in pairs(each('i:', letter)) do
    if copies(book) > 0 or titles() < TITLES then set_copies(book, math.max(copies(book), tonumber(count))) end
    if not cart['p:' .. book] then saw(book, letter['p:' .. book] or '') end
  end
  if how == 'join' then return commit('OK') end
  for _, kind in ipairs({ 'taken:', 'merged:' }) do
    for name, value in pairs(each(kind, letter)) do
      if not cart[kind .. name] then put(kind .. name, value) end
    end
  end
  if letter.into then put('into', letter.into) end
end
put('v', text(math.max(held, v)))
put('t', text(math.max(at, t)))
return commit('OK')
