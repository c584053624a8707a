-- cart_load: the cart as it stands. One that Redis lost is put back as the seed says, one in doubt is proven by it;
-- neither counts as a change, but edits made in doubt do. While Postgres is away a cart in doubt is shown as it is.
--
-- KEYS    as cart_prelude
-- ARGV    none
-- Returns OK       the cart
--         ABSENT   no cart here, and Postgres does not answer
if absent and known == 'away' then return { 'ABSENT' } end
return reply('OK')
