-- cart_prelude: the start of every script that touches one cart. The wrapper puts it in front of the verb, so that
-- loading, doubt, versions, the dirty mark and the message are written once.
--
-- KEYS    1 cart:{b}:<owner>  HASH of the cart     2 cart:{b}:dirty  ZSET owner -> due, unix ms
-- ARGV    1 owner   2 now, unix ms   3 due, unix ms: when to persist   4 channel for live carts
--         5 run_id of the Redis that this call reaches   6 what is known of Postgres' cart: `proven` nothing, this one
--         must be proven · `edit` nothing, an unproven one will do · `seed` all of it · `away` Postgres does not answer
--         7 n   8 .. 7+n seed: field, value, … as Postgres has it
--         the rest are the verb's own, named arg[1], arg[2], …
-- Returns ABSENT   no cart here: ask Postgres and call again with what it says
--         DOUBT    a cart that another run of Redis left (an old file, a lagging replica), or an unproven one: likewise
--
-- Every verb answers { code, v, t, into or '', note, n or '', book, copies, seen or '', … }, all as strings.
-- Fields: v changes so far · t = max(t + 1, now) orders them · e run_id in which it was last proven, or, for an unproven
-- one, in which it was last looked at · i:<book> copies
-- p:<book> price that the shopper last saw · k:<book> change of the book that it was told of
-- taken:<order>, merged:<guest> marks "<unix ms>;<rest>" · into: closed, its lines belong to that account
-- n: what the last merge did, "titles,cut,left out", until the shopper goes on
-- unproven: edited while Postgres could not be asked; its t when that began, or `cleared`: Postgres' lines no longer
-- count · o:<book> copies when that began · u:<book> set or removed since: this line replaces Postgres' one
local owner, now, due, channel, era, known = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local seeded = tonumber(ARGV[7])
local arg = { unpack(ARGV, 8 + seeded) }
local MARKS, MOST, TITLES = 50, 10, 50
-- Guests' carts read from Postgres, and not edited since, leave Redis after a day; those of accounts stay.
local LOADED_SECONDS = 86400

local call, sub = redis.call, string.sub
local cart, seed, changed = {}, {}, {}
local stored = call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do cart[stored[i]] = stored[i + 1] end
for i = 8, 7 + seeded, 2 do seed[ARGV[i]] = ARGV[i + 1] end

local absent = #stored == 0
local doubted = not absent and (cart.unproven or cart.e ~= era)
if known == 'proven' or known == 'edit' then
  if absent then return { 'ABSENT' } end
  if doubted and not (cart.unproven and cart.e == era and known == 'edit') then return { 'DOUBT' } end
end

local function text(number) return string.format('%.0f', number) end

local function put(field, value)
  cart[field], changed[field] = value, true
end

local function copies(book) return tonumber(cart['i:' .. book] or '0') end

local function set_copies(book, count)
  if count > 0 then
    put('i:' .. book, text(count))
  else
    put('i:' .. book, nil)
    put('p:' .. book, nil)
    put('k:' .. book, nil)
  end
end

local function saw(book, price)
  if price ~= '' and cart['i:' .. book] then put('p:' .. book, price) end
end

-- Says that Postgres' line of this book, not known yet, no longer counts.
local function replaces(book)
  if cart.unproven then put('u:' .. book, '1') end
end

local function each(kind, fields)
  local found, size = {}, #kind
  for field, value in pairs(fields) do
    if sub(field, 1, size) == kind then found[sub(field, size + 1)] = value end
  end
  return found
end

local function drop_all(kind)
  for book in pairs(each(kind, cart)) do put(kind .. book, nil) end
end

local function titles()
  local count = 0
  for field in pairs(cart) do
    if sub(field, 1, 2) == 'i:' then count = count + 1 end
  end
  return count
end

-- Keeps the marks of one kind bounded: the oldest go. An owner has few open orders and one guest cart at a time, so
-- a mark that can still be asked for is among the youngest.
local function prune(kind)
  -- Most carts have fewer fields than a kind may have marks.
  if #stored + seeded < 2 * MARKS then return end
  local marks = {}
  for name, value in pairs(each(kind, cart)) do
    marks[#marks + 1] = { kind .. name, tonumber(string.match(value, '^%d+')) or 0 }
  end
  table.sort(marks, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[1] > b[1]) end)
  for i = MARKS + 1, #marks do put(marks[i][1], nil) end
end

local function answer(code, note)
  local words = { code, cart.v or '0', cart.t or '0', cart.into or '', note or '', cart.n or '' }
  local last = #words
  for field, value in pairs(cart) do
    if sub(field, 1, 2) == 'i:' then
      local book = sub(field, 3)
      words[last + 1], words[last + 2], words[last + 3] = book, value, cart['p:' .. book] or ''
      last = last + 3
    end
  end
  return words
end

local function write()
  local written, gone = {}, {}
  for field in pairs(changed) do
    local value = cart[field]
    if value == nil then
      gone[#gone + 1] = field
    else
      local last = #written
      written[last + 1], written[last + 2] = field, value
    end
  end
  if #written > 0 then call('HSET', KEYS[1], unpack(written)) end
  if #gone > 0 then call('HDEL', KEYS[1], unpack(gone)) end
end

-- Writes what changed and records in the same step that Postgres must hear of it.
local function commit(code, note)
  put('v', text(tonumber(cart.v or '0') + 1))
  put('t', text(math.max(tonumber(cart.t or '0') + 1, now)))
  write()
  call('PERSIST', KEYS[1])
  call('ZADD', KEYS[2], 'NX', due, owner)
  call('PUBLISH', channel, owner)
  return answer(code, note)
end

local is_moved = false
if known == 'seed' and (absent or doubted) then
  -- Postgres is newer than the cart that the unproven edits began with: what they added comes on top of its lines.
  local function add_edits()
    local before, ours = each('o:', cart), each('i:', cart)
    local books = each('i:', seed)
    for book in pairs(ours) do books[book] = books[book] or '0' end
    for book in pairs(before) do books[book] = books[book] or '0' end
    for book, theirs in pairs(books) do
      if not cart['u:' .. book] then
        local count = tonumber(theirs) + copies(book) - tonumber(before[book] or '0')
        set_copies(book, math.max(0, math.min(MOST, count)))
        if not cart['p:' .. book] then saw(book, seed['p:' .. book] or '') end
      end
    end
  end

  -- Proves the cart by what Postgres has: the newer of two states stands, edits made in between come on top.
  -- Returns whether that is a change to persist.
  local function prove()
    local unproven, theirs = cart.unproven, tonumber(seed.t or '0')
    local is_written = theirs >= tonumber(cart.t or '0')
    if unproven then
      -- Every proof moves t on. What Postgres has from later than this cart was made of it already: an old file only
      -- brought the unproven one back, and adding its edits again would double them.
      if not is_written and unproven ~= 'cleared' and theirs > tonumber(unproven) then add_edits() end
      put('unproven', nil)
      drop_all('o:')
      drop_all('u:')
    end
    if is_written then
      for _, kind in ipairs({ 'i:', 'p:', 'k:' }) do drop_all(kind) end
      for _, kind in ipairs({ 'i:', 'p:' }) do
        for book, value in pairs(each(kind, seed)) do put(kind .. book, value) end
      end
    end
    for field, value in pairs(seed) do
      local is_line = string.sub(field, 1, 2) == 'i:' or string.sub(field, 1, 2) == 'p:'
      if field == 'v' or field == 't' then
        put(field, text(math.max(tonumber(cart[field] or '0'), tonumber(value))))
      elseif not is_line and not cart[field] then
        put(field, value)
      end
    end
    put('e', era)
    return unproven and not is_written
  end

  is_moved = prove()
elseif known == 'away' and (absent or doubted) then
  put('e', era)
  if not cart.unproven then
    put('unproven', cart.t or '0')
    for book, count in pairs(each('i:', cart)) do put('o:' .. book, count) end
  end
end

-- The answer of a verb that changed nothing. What the proof brought is kept without counting as an edit.
local function reply(code, note)
  if is_moved then return commit(code, note) end
  if known == 'seed' and (absent or doubted) and tonumber(cart.t or '0') > 0 then
    write()
    if absent and string.sub(owner, 1, 2) == 'g:' then call('EXPIRE', KEYS[1], LOADED_SECONDS) end
    -- Postgres is behind, or a move into an account was cut short: a worker has to finish it.
    local is_ahead = tonumber(cart.t) > tonumber(seed.t or '0')
    if is_ahead or (cart.into and titles() > 0) then call('ZADD', KEYS[2], 'NX', due, owner) end
  end
  return answer(code, note)
end

