-- One worker process at a time loads other weights. ARGV[3] owner, [4] ms to hold; 0 gives the lease back.
-- Returns 1 if the owner holds it now.
local until_ms, holder_of = string.match(call('GET', K('rollover')) or '0 ', '^(%S+) (.*)$')
if tonumber(until_ms) > NOW and holder_of ~= ARGV[3] then return 0 end
if tonumber(ARGV[4]) == 0 then
  if holder_of == ARGV[3] then call('DEL', K('rollover')) end
  return 0
end
call('SET', K('rollover'), ms(NOW + tonumber(ARGV[4])) .. ' ' .. ARGV[3])
return 1
