-- Take a job in. Order: repeated key, cache, bound, join, new run.
-- ARGV[3] the NewJob as JSON (pages as a list), ARGV[4] what an Idempotency-Key stands for.
-- Returns {how, job id or Retry-After, messages}; how: new joined cached repeated conflict full noblob.
local new, mark = cjson.decode(ARGV[3]), ARGV[4]

local function add_job(run, cached)
  local key = job_key(new.id)
  call('HSET', key, 'run', run, 'client', new.client, 'name', new.name, 'kind', new.kind, 'options', new.options,
    'priority', new.priority, 'pages', cjson.encode(new.pages), 'created', ms(NOW), 'cached', cached and 1 or 0,
    'idem', new.idempotency)
  call('ZADD', K('jobs:' .. new.client), ms(NOW), new.id)
  call('SADD', run_key(run, 'refs'), new.id)
  if cached then
    close_job(new.id, NOW)
  else
    call('SADD', run_key(run, 'active'), new.id)
    call('ZADD', K('inflight'), ms(NOW + L.job_deadline_s * 1000), new.id)
    call('HINCRBY', K('inflight:by'), new.client, 1)
    call('HSET', key, 'eta', ms(estimate(run, place_of(run))))
  end
  if new.idempotency ~= '' then
    local known_for = L.idempotency_ttl_s * 1000
    call('SET', K('idem:' .. new.client .. ':' .. new.idempotency), ms(NOW + known_for) .. ' ' .. new.id .. ' ' .. mark,
      'PX', ms(known_for))
  end
end

-- The same call again, after a connection that broke before its answer came.
if call('EXISTS', job_key(new.id)) == 1 then return {'new', new.id, {}} end

if new.idempotency ~= '' then
  local known = call('GET', K('idem:' .. new.client .. ':' .. new.idempotency))
  if known then
    local until_ms, job, known_mark = string.match(known, '^(%S+) (%S+) (.*)$')
    if tonumber(until_ms) > NOW and call('EXISTS', job_key(job)) == 1 then
      if known_mark ~= mark then return {'conflict', '', {}} end
      return {'repeated', job, {}}
    end
  end
end

local held = new.key ~= '' and call('HGET', K('cache'), new.key)
if held then
  add_job(held, true)
  call('ZADD', K('lru'), ms(NOW), held)
  total('jobs_cached')
  return {'cached', new.id, {}}
end

local share = math.max(1, math.floor(L.max_jobs * L.client_share))
if call('ZCARD', K('inflight')) >= L.max_jobs or num(K('inflight:by'), new.client) >= share then
  total('jobs_refused')
  return {'full', retry_after(), {}}
end

local joined = new.key ~= '' and call('HGET', K('flight'), new.key)
if joined then
  add_job(joined, false)
  total('jobs_joined')
  dispatch()
  return {'joined', new.id, OUT}
end

if num(K('blobrefs'), new.blob) == 0 then
  if call('EXISTS', K('blob:' .. new.blob)) == 0 then return {'noblob', '', {}} end
  if num(K('totals'), 'blob_bytes') + new.blob_bytes > L.max_blob_bytes then
    total('jobs_refused')
    return {'full', retry_after(), {}}
  end
  call('PERSIST', K('blob:' .. new.blob))
  call('HSET', K('blobsize'), new.blob, new.blob_bytes)
  total('blob_bytes', new.blob_bytes)
end
call('HINCRBY', K('blobrefs'), new.blob, 1)
call('HSET', run_key(new.run), 'blob', new.blob, 'kind', new.kind, 'options', new.options, 'key', new.key,
  'client', new.client, 'queue', new.priority, 'total', #new.pages, 'status', 'queued')
for _, page in ipairs(new.pages) do call('RPUSH', run_key(new.run, 'todo'), page) end
if new.key ~= '' then call('HSET', K('flight'), new.key, new.run) end
call('ZADD', K('waiting:' .. new.priority), call('INCR', K('order')), new.run)
line_up(new.run, new.priority, new.client)
add_job(new.run, false)
total('jobs_accepted')
dispatch()
return {'new', new.id, OUT}
