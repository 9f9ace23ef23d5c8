-- KEYS: record, deadlines
-- ARGV: now, locator[, how the keys of the namespace's principals begin]
-- Gives the value that was live, or nothing.
local value = redis.call('GET', KEYS[1])
if not value or expires(value) <= tonumber(ARGV[1]) then return false end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])

-- On a server that is no Cluster, out of the index of its principal too: the extension of tag 1,
-- behind the 8 bytes of its epoch.
if ARGV[3] then
  local at = string.byte(value, 14) % 2 == 1 and 149 or 101
  local stop = at + struct.unpack('<I2', value, 19)
  while at + 4 <= stop do
    local tag, size = struct.unpack('<I2I2', value, at)
    if tag == 1 then
      redis.call('ZREM', ARGV[3] .. string.sub(value, at + 12, at + 3 + size) .. '}:u', ARGV[2])
      break
    end
    at = at + 4 + size
  end
end
return value
