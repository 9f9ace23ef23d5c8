-- KEYS: one that all nodes name alike, so that they ask the same primary
return redis.call('TIME')
