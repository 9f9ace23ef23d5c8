-- KEYS: index of a principal
-- ARGV: point in time, locators...
-- Takes out what was added before that point: what is younger may belong to a commit under way.
local before, out = tonumber(ARGV[1]), 0
for i = 2, #ARGV do
  local added = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if added and tonumber(added) < before then out = out + redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return out
