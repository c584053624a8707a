-- Takes keys away that a rebuild has no use for, as long as it is the one under way: once the gate is open, they may
-- belong to an order that it never saw.
--
-- KEYS  1 {inv}:loading
--       2, 3, … {inv}:resv:<order> or {inv}:holds:<owner>
-- ARGV  1 token of this rebuild
-- Returns SWEPT
--         SUPERSEDED  another rebuild came in between, or something that this one has not counted

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 'SUPERSEDED'
end
for i = 2, #KEYS do
  redis.call('DEL', KEYS[i])
end
return 'SWEPT'
