-- KEYS: epoch of a principal
-- First what a server without memory allows; it allows the rest behind it.
redis.call('PERSIST', KEYS[1])
return redis.call('INCR', KEYS[1])
