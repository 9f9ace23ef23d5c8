-- KEYS: two that are nobody's
-- Gives the names of the commands that this user may not run.
local plain, sorted = KEYS[1], KEYS[2]
local missing = {}
local function try(name, ...)
  local answer = redis.pcall(name, ...)
  local refused = type(answer) == 'table' and answer.err
  -- A server without memory refuses what it will allow again.
  if refused and not string.find(refused, '^%-?OOM') then missing[#missing + 1] = name end
end
try('SET', plain, '0', 'PX', '60000')
try('GET', plain)
try('GETRANGE', plain, '0', '0')
try('SETRANGE', plain, '0', '0')
try('PEXPIRE', plain, '60000')
try('PERSIST', plain)
try('PTTL', plain)
try('INCR', plain)
try('RENAME', plain, plain)
try('DEL', plain)
try('SADD', plain, '0')
redis.pcall('DEL', plain)
try('ZADD', sorted, '0', '0')
try('ZSCORE', sorted, '0')
try('ZCOUNT', sorted, '0', '0')
try('ZRANGEBYSCORE', sorted, '0', '0')
try('ZREM', sorted, '0')
try('TIME')
return missing
