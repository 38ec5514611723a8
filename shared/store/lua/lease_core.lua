-- Lease the first free core of a host; the one already held is renewed.
-- cores:{host} hash core -> "until owner". ARGV[3] host, [4] cores as JSON in order of wish, [5] owner, [6] ms to hold.
-- Returns the core or false.
local key, owner = K('cores:' .. ARGV[3]), ARGV[5]
local free = nil
for _, core in ipairs(cjson.decode(ARGV[4])) do
  local until_ms, holder_of = string.match(call('HGET', key, core) or '0 ', '^(%S+) (.*)$')
  if holder_of == owner then
    free = core
    break
  end
  if free == nil and tonumber(until_ms) <= NOW then free = core end
end
if free == nil then return false end
call('HSET', key, free, ms(NOW + tonumber(ARGV[6])) .. ' ' .. owner)
-- A host that is gone for a day leaves nothing behind.
call('PEXPIRE', key, 86400000)
return free
