-- Put right what was lost. ARGV[3] who asks, [4] depth of each queue as JSON, [5] problem of a page out of attempts,
-- [6] problem of a job past its deadline. Returns messages, or false if another reconciler is at it.
local holder_now = call('GET', K('reconciler'))
if holder_now and holder_now ~= ARGV[3] then return false end
call('SET', K('reconciler'), ARGV[3], 'PX', 5000)
local depths = cjson.decode(ARGV[4])

for _, member in ipairs(call('ZRANGEBYSCORE', K('leases'), '-inf', ms(NOW), 'LIMIT', 0, 500)) do
  local run, page = string.match(member, '^(%S+) (%S+)$')
  lost(run, page, page_state(run, page), 'lost', '', ARGV[5])
end

local page_ms = num(K('totals'), 'page_ms')
for _, queue in ipairs(QUEUES) do
  local aged = NOW - math.max(AGED_AFTER, math.floor(10 * page_ms))
  local missing = NOW - LOST_AFTER
  local sent = call('ZRANGEBYSCORE', K('conveyor:' .. queue), '-inf', ms(math.max(aged, missing)), 'WITHSCORES')
  for i = 1, #sent, 2 do
    local run, page = string.match(sent[i], '^(%S+) (%S+)$')
    local at = tonumber(sent[i + 1])
    local to = at <= aged and 'interactive' or (at <= missing and (depths[queue] or 0) == 0 and queue) or nil
    if to then
      call('ZADD', K('conveyor:' .. queue), ms(NOW), sent[i])
      OUT[#OUT + 1] = {run, tonumber(page), to}
    end
  end
end

for _, job in ipairs(call('ZRANGEBYSCORE', K('inflight'), '-inf', ms(NOW), 'LIMIT', 0, 500)) do
  drop_job(job, 'failed', ARGV[6])
end
for _, job in ipairs(call('ZRANGEBYSCORE', K('expiry'), '-inf', ms(NOW), 'LIMIT', 0, 500)) do remove_job(job) end
local horizon = ms(NOW - L.slot_ttl_s * 10000)
for _, slot in ipairs(call('ZRANGEBYSCORE', K('slots'), '-inf', horizon)) do
  call('ZREM', K('slots'), slot)
  call('HDEL', K('slotinfo'), slot)
end
trim()
dispatch()
return OUT
