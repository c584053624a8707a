-- cart_close: a guest's cart goes into an account's, in two steps, because the two live in different slots. `freeze`
-- names the account and bars edits; its lines stay until cart_merge has them; `empty` then leaves a tombstone.
-- Both steps mark the cart dirty, so a worker finishes what a crash cut short and Postgres learns of the end.
--
-- KEYS    as cart_prelude
-- ARGV    arg[1] freeze | empty   arg[2] the account's owner text
-- Returns OK   `into` in the answer is the account that got it, which may be another one
if arg[1] == 'freeze' then
  if cart.into then return reply('OK') end
  put('into', arg[2])
  return commit('OK')
end
if cart.into ~= arg[2] or titles() == 0 then return reply('OK') end
for _, kind in ipairs({ 'i:', 'p:', 'k:' }) do drop_all(kind) end
return commit('OK')
