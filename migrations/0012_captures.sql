-- The provider's own id of the money (Stripe's payment intent, Razorpay's payment), which its refunds name.
ALTER TABLE payments ADD COLUMN capture_ref text;
CREATE INDEX payments_capture_idx ON payments (provider, capture_ref) WHERE capture_ref IS NOT NULL;
