-- Every worker process heard of lately, as {slot, JSON, slot, JSON, ...}; long-silent ones are forgotten here.
local out = {}
local rows = call('HGETALL', K('slotinfo'))
for i = 1, #rows, 2 do
  local beat = tonumber(cjson.decode(rows[i + 1]).beat_at)
  if beat > NOW - L.slot_ttl_s * 1000 then
    out[#out + 1] = rows[i]
    out[#out + 1] = rows[i + 1]
  elseif beat <= NOW - L.slot_ttl_s * 10000 then
    call('HDEL', K('slotinfo'), rows[i])
    call('ZREM', K('slots'), rows[i])
  end
end
return out
