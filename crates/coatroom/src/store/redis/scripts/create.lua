-- KEYS: record, deadlines, claims, namespaces[, index of the principal]
-- ARGV: value, now, score of its deadline, ttl or '', locator, namespace[, ttl of the index or '']
-- Gives 0 where a live record is, 1 where it was created, or the dead one whose place it took.
local old = redis.call('GETRANGE', KEYS[1], '0', HEAD)
local answer = 1
if old ~= '' then
  if expires(old) > tonumber(ARGV[2]) then return 0 end
  -- One that was claimed is being reported already.
  if not redis.call('ZSCORE', KEYS[3], ARGV[5]) then answer = redis.call('GET', KEYS[1]) end
end
if ARGV[4] == '' then
  redis.call('SET', KEYS[1], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[5])
if old ~= '' then redis.call('ZREM', KEYS[3], ARGV[5]) end
redis.call('SADD', KEYS[4], ARGV[6])
if KEYS[5] then index(KEYS[5], ARGV[5], ARGV[2], ARGV[7]) end
return answer
