-- The state of the fleet: {live slots, interactive pages unclaimed, bulk pages unclaimed, pages in work, jobs in flight,
-- mean ms a page, blob bytes, cache bytes}.
local waiting = {}
for i, queue in ipairs(QUEUES) do waiting[i] = num(K('todo'), queue) + call('ZCARD', K('conveyor:' .. queue)) end
return {live_slots(), waiting[1], waiting[2], call('ZCARD', K('leases')), call('ZCARD', K('inflight')),
  get(K('totals'), 'page_ms'), get(K('totals'), 'blob_bytes'), get(K('totals'), 'cache_bytes')}
