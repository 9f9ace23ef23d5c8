-- KEYS: deadlines
-- ARGV: now, how many due ones were looked at, how many to look at, how the keys of the records begin
-- Gives how many are alive by their filed deadline, how many of the due ones looked at live all the
-- same, and how many were looked at.
local now, alive = tonumber(ARGV[1]), 0
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', ARGV[2], ARGV[3])
for _, locator in ipairs(due) do
  local head = redis.call('GETRANGE', ARGV[4] .. locator, '0', HEAD)
  if head ~= '' and expires(head) > now then alive = alive + 1 end
end
return { redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], 'inf'), alive, #due }
