-- KEYS: record, deadlines[, index of the principal][, where a large value lies]
-- ARGV: value or '', expected revision (8 bytes), now, its deadline, ttl or '', locator
--       [, offset of the end of the extensions, 'first' or 'done' or 'here', ttl of the index or '']
-- Gives nothing where no live record is, the newest value where its revision is another, 2 where the
-- index of the principal must be written first, 3 where no large value lies, and 1 where it landed.
local new, principal = ARGV[1], ARGV[8]
-- A large value never becomes a string here, where it would be copied several times: its key is renamed.
local large = new == '' and KEYS[#KEYS]
if large then
  new = redis.call('GETRANGE', large, '0', ARGV[7] or HEAD)
  if new == '' then return 3 end
end
local function refuse(answer)
  if large then redis.call('DEL', large) end
  return answer
end
local old = redis.call('GETRANGE', KEYS[1], '0', ARGV[7] or HEAD)
if old == '' then return refuse(false) end
local now, was = tonumber(ARGV[3]), expires(old)
if was <= now then return refuse(false) end
local sub = string.sub
if sub(old, 21, 28) ~= ARGV[2] then return refuse(redis.call('GET', KEYS[1])) end

-- The index holds a record of the same principal and lifetime already.
local indexed = not principal or principal == 'done'
  or sub(old, 14, 14) == sub(new, 14, 14) and sub(old, 19, 20) == sub(new, 19, 20)
  and sub(old, 45, 52) == sub(new, 45, 52)
  and sub(old, 101, -1) == sub(new, 101, ARGV[7] + 1)
if not indexed and principal == 'first' then return refuse(2) end

local will, lives = tonumber(ARGV[4]), ARGV[5]
if sub(old, 1, 8) ~= sub(new, 1, 8) then
  local activity = merge(old, new)
  if activity ~= sub(new, 1, 8) then
    if large then redis.call('SETRANGE', large, '0', activity) end
    new = activity .. sub(new, 9)
    will = expires(new)
    lives = ttl(will, now) or ''
  end
end
if large then
  redis.call('RENAME', large, KEYS[1])
  if lives == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], lives) end
elseif lives == '' then
  redis.call('SET', KEYS[1], new)
else
  redis.call('SET', KEYS[1], new, 'PX', lives)
end
if will < was then redis.call('ZADD', KEYS[2], score(will), ARGV[6]) end
if not indexed then index(KEYS[3], ARGV[6], ARGV[3], ARGV[9]) end
return 1
