-- KEYS: record, deadlines, claims[, index of the principal]
-- ARGV: locator, revision (8 bytes)
if redis.call('GETRANGE', KEYS[1], '20', '27') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if KEYS[4] then redis.call('ZREM', KEYS[4], ARGV[1]) end
return 1
