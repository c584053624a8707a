-- Roles behind the counter; whoever was an admin owns the shop.
ALTER TABLE accounts DROP CONSTRAINT accounts_role_check;
UPDATE accounts SET role = 'owner' WHERE role = 'admin';
ALTER TABLE accounts ADD CONSTRAINT accounts_role_check
    CHECK (role IN ('shopper', 'support', 'packer', 'manager', 'owner'));
