-- Shared by all scripts. A value is activity (8 bytes), checksum (4), record; its first 60 bytes say
-- when it dies. Numbers are doubles here, exact for milliseconds; revisions are compared as bytes.

local HEAD = '59'
local GRACE = 86400000
local ENDLESS = 1125899906842624

-- When the record is dead. Several calls of unpack, so that nothing in between becomes a string.
local function expires(value)
  local last, high = struct.unpack('<I7B', value)
  local unconfirmed, created, deadline, idle = struct.unpack('<I4I8I8I8', value, 33)
  local at = last + idle
  if deadline < at then at = deadline end
  if unconfirmed > 0 and high < 128 and created + unconfirmed * 1000 < at then
    at = created + unconfirmed * 1000
  end
  return at
end

-- The later access of two activities, confirmed if either is.
local function merge(one, other)
  local last, high = struct.unpack('<I7B', one)
  local last2, high2 = struct.unpack('<I7B', other)
  if last2 > last then last = last2 end
  if high2 > high then high = high2 end
  return struct.pack('<I7B', last, high)
end

-- How long the key of a record lives that dies at a point: longer than it, so that a sweep that
-- pauses for a day still reports it. Nothing where there is no end.
local function ttl(at, now)
  if at - now > ENDLESS then return nil end
  if at < now then return GRACE end
  return at - now + GRACE
end

-- The score to file a deadline under.
local function score(at)
  if at > 9007199254740991 then return 'inf' end
  return string.format('%.0f', at)
end

-- Files a record under its principal, in an index that lives at least `lives` ms; for ever where
-- that is empty.
local function index(key, locator, now, lives)
  local left = redis.call('PTTL', key)
  redis.call('ZADD', key, now, locator)
  if lives == '' then
    if left >= 0 then redis.call('PERSIST', key) end
  elseif left == -2 or left >= 0 and left < tonumber(lives) then
    redis.call('PEXPIRE', key, lives)
  end
end
