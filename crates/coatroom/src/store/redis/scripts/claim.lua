-- KEYS: deadlines, claims
-- ARGV: now, end of the lease, how many to look at, how the keys of the records begin
-- Gives locators and values in turn: the dead, leased.
local found, now = {}, tonumber(ARGV[1])

local function look(filed, locator)
  local key = ARGV[4] .. locator
  local head = redis.call('GETRANGE', key, '0', HEAD)
  -- First what a server without memory allows; it allows the rest behind it.
  redis.call('ZREM', filed, locator)
  if head == '' then return end
  local at = expires(head)
  if at > now then
    redis.call('ZADD', KEYS[1], score(at), locator)
    return
  end
  redis.call('ZADD', KEYS[2], ARGV[2], locator)
  found[#found + 1] = locator
  found[#found + 1] = redis.call('GET', key)
end

local left = tonumber(ARGV[3])
for _, filed in ipairs(KEYS) do
  local due = redis.call('ZRANGEBYSCORE', filed, '-inf', ARGV[1], 'LIMIT', '0', left)
  for _, locator in ipairs(due) do look(filed, locator) end
  left = left - #due
  if left <= 0 then break end
end
return found
