-- Give a core back if the owner still holds it. ARGV[3] host, [4] core, [5] owner.
local key = K('cores:' .. ARGV[3])
local _, holder_of = string.match(call('HGET', key, ARGV[4]) or '0 ', '^(%S+) (.*)$')
if holder_of == ARGV[5] then call('HDEL', key, ARGV[4]) end
return 1
