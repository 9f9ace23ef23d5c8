-- KEYS: record
-- ARGV: activity (8 bytes), its last access
local old = redis.call('GETRANGE', KEYS[1], '0', HEAD)
local now = tonumber(ARGV[2])
if old == '' or expires(old) <= now then return 0 end
local activity = merge(old, ARGV[1])
if activity == string.sub(old, 1, 8) then return 0 end
local lives = ttl(expires(activity .. string.sub(old, 9)), now)
-- First what a server without memory allows; it allows the rest behind it.
if lives then
  redis.call('PEXPIRE', KEYS[1], lives)
else
  redis.call('PERSIST', KEYS[1])
end
redis.call('SETRANGE', KEYS[1], '0', activity)
return 1
